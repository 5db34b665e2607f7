// What an executable defines under the names of glibc's allocation functions is called in their place, by shared libraries
// too ("Replacing malloc", glibc manual 3.2.5). glibc's own functions do the work, so that memory from here may meet glibc's
// free, which is not replaced.

#include "allocation_count.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>

#ifdef __GLIBC__

// Looked at outside of counting too, but written only within it: counting must not cost the time that is measured.
static atomic_bool is_counting;
static atomic_long allocations;

static inline void count(void) {
  if (atomic_load_explicit(&is_counting, memory_order_relaxed))
    atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed);
}

void allocation_count_begin(void) {
  atomic_store(&allocations, 0);
  atomic_store(&is_counting, true);
}

long allocation_count_end(void) {
  atomic_store(&is_counting, false);
  return atomic_load(&allocations);
}

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size) {
  count();
  return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
  count();
  return __libc_calloc(number, size);
}

void *realloc(void *memory, size_t size) {
  count();
  return __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
  count();
  return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
  count();
  void *allocated = __libc_memalign(alignment, size);
  if (!allocated) return ENOMEM;
  *memory = allocated;
  return 0;
}

#else

void allocation_count_begin(void) {}
long allocation_count_end(void) { return -1; }

#endif
