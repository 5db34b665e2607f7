#ifndef ALLOCATION_COUNT_H
#define ALLOCATION_COUNT_H

#include <stdbool.h>

/// Begins to count, from zero, the allocations of all threads, those of SQLite and the C library included.
void allocation_count_begin(void);

/// Ends counting, and tells how many there were; -1 where the C library is not glibc, which lets nobody count.
long allocation_count_end(void);

#endif
