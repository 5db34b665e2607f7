/*
 * An allocator that fails where SQLite asks: for LD_PRELOAD. What is to fail stands in a file that the harness and the
 * process share, which the environment names (DOCKET_TORTURE_MALLOC). Others than libsqlite3.so always get memory.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct plan {
    int64_t armed;   /* whether calls count */
    int64_t at;      /* the call that fails; 0: none */
    int64_t from;    /* whether all behind it fail as well */
    int64_t count;   /* the calls so far */
    int64_t failed;  /* how many of them failed */
};

extern void *__libc_malloc(size_t);
extern void *__libc_realloc(void *, size_t);

static volatile struct plan *plan;
static uintptr_t start, end;

static int look(struct dl_phdr_info *info, size_t size, void *unused) {
    (void)size; (void)unused;
    if (!strstr(info->dlpi_name, "libsqlite3.so")) return 0;
    for (int index = 0; index < info->dlpi_phnum; index++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[index];
        if (part->p_type != PT_LOAD || !(part->p_flags & PF_X)) continue;
        start = info->dlpi_addr + part->p_vaddr;
        end = start + part->p_memsz;
    }
    return 1;
}

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("DOCKET_TORTURE_MALLOC");
    if (!path) return;
    dl_iterate_phdr(look, NULL);
    int descriptor = open(path, O_RDWR | O_CLOEXEC);
    if (descriptor < 0 || !end) abort();
    void *memory = mmap(NULL, sizeof(struct plan), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    close(descriptor);
    if (memory == MAP_FAILED) abort();
    plan = memory;
}

static int fails(uintptr_t caller) {
    if (!plan || caller < start || caller >= end || !plan->armed) return 0;
    int64_t number = __atomic_add_fetch(&plan->count, 1, __ATOMIC_SEQ_CST);
    if (plan->at == 0 || number < plan->at || (number > plan->at && !plan->from)) return 0;
    __atomic_add_fetch(&plan->failed, 1, __ATOMIC_SEQ_CST);
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t size) {
    return fails((uintptr_t)__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *realloc(void *memory, size_t size) {
    return fails((uintptr_t)__builtin_return_address(0)) ? NULL : __libc_realloc(memory, size);
}
