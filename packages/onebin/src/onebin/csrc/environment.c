/* getenv without the PYTHON* variables that [tool.onebin] environment does not name, and with TZ as
 * libc has to read it.
 *
 * CPython reads its variables by this function; the environment itself, os.environ and what a child
 * inherits are not changed.
 */
#include <stddef.h>
#include <string.h>

/* Ends with NULL; embed/program.py. */
extern const char *const allowed_variables[];

char *__real_getenv(const char *name);

/* Of a program with time zones inside: files_zones.c. */
__attribute__((weak)) const char *zone_variable(const char *value);

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
    char *value = __real_getenv(name);
    if (zone_variable != NULL && value != NULL && strcmp(name, "TZ") == 0) {
        return (char *)zone_variable(value);
    }
    return value;
}
