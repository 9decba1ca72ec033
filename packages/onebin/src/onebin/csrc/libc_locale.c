/* setlocale as in an image without locales: the only ones are C and C.UTF-8 (ld --wrap).
 *
 * musl takes any name and changes nothing, so a program that tries one and falls back if there is
 * none would format in English, and say otherwise.
 */
#include <locale.h>
#include <string.h>

char *__real_setlocale(int category, const char *name);

static int
is_known(const char *name)
{
    static const char *const known[] = {"C", "POSIX", "C.UTF-8", "C.utf8"};
    for (size_t n = 0; n < sizeof known / sizeof *known; n++) {
        if (strcmp(name, known[n]) == 0) {
            return 1;
        }
    }
    return 0;
}

char *
__wrap_setlocale(int category, const char *name)
{
    /* An empty name is the environment's choice: where that is not here, it is C.UTF-8. */
    if (name != NULL && name[0] != 0 && !is_known(name)) {
        return NULL;
    }
    char *found = __real_setlocale(category, name);
    /* musl has UTF-8 for characters alone: it lists each category then, and names the others C. */
    int is_set = name != NULL && strncmp(name, "C.", 2) == 0;
    int is_utf8 = found != NULL && (is_set || strncmp(found, "C.UTF-8;", 8) == 0);
    return is_utf8 ? "C.UTF-8" : found;
}
