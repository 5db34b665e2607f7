#pragma once

// What glibc's module leaves out (https://man7.org/linux/man-pages/man3/mallopt.3.html).
#include <malloc.h>
