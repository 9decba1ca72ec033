/* Note each file inside that the program opens, describes or lists: onebin build --trace.
 *
 * Only in an executable that is made to be traced. Each note is a line in the file that the
 * variable ONEBIN_TRACE names, written at once: a process may be killed at any time.
 */
#include "files.h"
#include "trace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int __real_open(const char *path, int flags, ...);

/* A line of at most PATH_MAX bytes is written by one call, so lines of processes do not mix. */
void
files_trace(int node, char mark)
{
    const char *target = getenv("ONEBIN_TRACE");
    if (target == NULL || node < 0) {
        return;
    }
    int before = errno;
    static unsigned char *seen; /* two threads may both make it, and both write a line */
    if (seen == NULL) {
        seen = calloc(file_node_count, 1);
    }
    unsigned char bit = mark == 'l' ? 2 : 1;
    char line[PATH_MAX + 3] = {mark, ' '};
    if ((seen == NULL || !(seen[node] & bit)) && files_path(node, line + 2) == 0) {
        size_t length = strlen(line);
        line[length] = '\n';
        int file = __real_open(target, O_WRONLY | O_APPEND | O_CLOEXEC);
        if (file >= 0) {
            if (write(file, line, length + 1) == (ssize_t)length + 1 && seen != NULL) {
                seen[node] |= bit;
            }
            close(file);
        }
    }
    errno = before;
}
