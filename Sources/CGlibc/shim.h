#pragma once

// What glibc's module leaves out (https://man7.org/linux/man-pages/man3/mallopt.3.html).
#include <malloc.h>
#include <stddef.h>

// It is an extension, which the module hides (https://man7.org/linux/man-pages/man3/memmem.3.html).
void *memmem(const void *text, size_t text_bytes, const void *piece, size_t piece_bytes);
