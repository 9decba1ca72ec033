/* getenv without the PYTHON* variables that [tool.onebin] environment does not name.
 *
 * CPython reads its variables by this function; the environment itself, os.environ and what a child
 * inherits are not changed.
 */
#include <stddef.h>
#include <string.h>

/* Ends with NULL; embed/program.py. */
extern const char *const allowed_variables[];

char *__real_getenv(const char *name);

char *
__wrap_getenv(const char *name)
{
    if (strncmp(name, "PYTHON", 6) == 0) {
        const char *const *allowed = allowed_variables;
        while (*allowed != NULL && strcmp(*allowed, name) != 0) {
            allowed++;
        }
        if (*allowed == NULL) {
            return NULL;
        }
    }
    return __real_getenv(name);
}
