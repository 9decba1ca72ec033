/* Relocations are done when main runs: make what they wrote read-only.
 *
 * A loader does this for a dynamic executable. musl's start of a static one relocates and leaves
 * it writable. Source: elf(5), PT_GNU_RELRO.
 */
#include <elf.h>
#include <stdint.h>
#include <sys/mman.h>

extern const Elf64_Ehdr __ehdr_start __attribute__((visibility("hidden")));

__attribute__((constructor(101))) static void
protect_relocated(void)
{
    uintptr_t base = (uintptr_t)&__ehdr_start;
    const Elf64_Phdr *header = (const Elf64_Phdr *)(base + __ehdr_start.e_phoff);
    for (int n = 0; n < __ehdr_start.e_phnum; n++) {
        if (header[n].p_type == PT_GNU_RELRO) {
            mprotect((void *)(base + header[n].p_vaddr), header[n].p_memsz, PROT_READ);
        }
    }
}
