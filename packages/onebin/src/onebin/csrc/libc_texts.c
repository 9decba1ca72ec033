/* Texts of errors and signals as glibc words them, which logs are searched for (ld --wrap).
 *
 * Only those that musl words otherwise, or has none for.
 */
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

char *__real_strerror(int number);
char *__real_strsignal(int number);
const char *__real_gai_strerror(int number);

struct text {
    int number;
    const char *text;
};

static const struct text errors[] = {
    {0, "Success"},
    {EIO, "Input/output error"},
    {ECHILD, "No child processes"},
    {ENOMEM, "Cannot allocate memory"},
    {EBUSY, "Device or resource busy"},
    {EXDEV, "Invalid cross-device link"},
    {EMFILE, "Too many open files"},
    {ENOTTY, "Inappropriate ioctl for device"},
    {ESPIPE, "Illegal seek"},
    {EDOM, "Numerical argument out of domain"},
    {ERANGE, "Numerical result out of range"},
    {EDEADLOCK, "Resource deadlock avoided"},
    {ENAMETOOLONG, "File name too long"},
    {ELOOP, "Too many levels of symbolic links"},
    {ECHRNG, "Channel number out of range"},
    {EL2NSYNC, "Level 2 not synchronized"},
    {EL3HLT, "Level 3 halted"},
    {EL3RST, "Level 3 reset"},
    {ELNRNG, "Link number out of range"},
    {EUNATCH, "Protocol driver not attached"},
    {ENOCSI, "No CSI structure available"},
    {EL2HLT, "Level 2 halted"},
    {EBADE, "Invalid exchange"},
    {EBADR, "Invalid request descriptor"},
    {EXFULL, "Exchange full"},
    {ENOANO, "No anode"},
    {EBADRQC, "Invalid request code"},
    {EBADSLT, "Invalid slot"},
    {EBFONT, "Bad font file format"},
    {ETIME, "Timer expired"},
    {ENONET, "Machine is not on the network"},
    {ENOPKG, "Package not installed"},
    {EREMOTE, "Object is remote"},
    {EADV, "Advertise error"},
    {ESRMNT, "Srmount error"},
    {ECOMM, "Communication error on send"},
    {EDOTDOT, "RFS specific error"},
    {EOVERFLOW, "Value too large for defined data type"},
    {ENOTUNIQ, "Name not unique on network"},
    {EREMCHG, "Remote address changed"},
    {ELIBACC, "Can not access a needed shared library"},
    {ELIBBAD, "Accessing a corrupted shared library"},
    {ELIBSCN, ".lib section in a.out corrupted"},
    {ELIBMAX, "Attempting to link in too many shared libraries"},
    {ELIBEXEC, "Cannot exec a shared library directly"},
    {EILSEQ, "Invalid or incomplete multibyte or wide character"},
    {ERESTART, "Interrupted system call should be restarted"},
    {ESTRPIPE, "Streams pipe error"},
    {EUSERS, "Too many users"},
    {ENOTSOCK, "Socket operation on non-socket"},
    {EMSGSIZE, "Message too long"},
    {ENOTSUP, "Operation not supported"},
    {EADDRINUSE, "Address already in use"},
    {EADDRNOTAVAIL, "Cannot assign requested address"},
    {ENETUNREACH, "Network is unreachable"},
    {ENETRESET, "Network dropped connection on reset"},
    {ECONNABORTED, "Software caused connection abort"},
    {EISCONN, "Transport endpoint is already connected"},
    {ENOTCONN, "Transport endpoint is not connected"},
    {ESHUTDOWN, "Cannot send after transport endpoint shutdown"},
    {ETOOMANYREFS, "Too many references: cannot splice"},
    {ETIMEDOUT, "Connection timed out"},
    {EHOSTUNREACH, "No route to host"},
    {EINPROGRESS, "Operation now in progress"},
    {EUCLEAN, "Structure needs cleaning"},
    {ENOTNAM, "Not a XENIX named type file"},
    {ENAVAIL, "No XENIX semaphores available"},
    {EISNAM, "Is a named type file"},
    {EDQUOT, "Disk quota exceeded"},
    {EOWNERDEAD, "Owner died"},
    {ERFKILL, "Operation not possible due to RF-kill"},
    {EHWPOISON, "Memory page has hardware error"},
};

static const struct text signals[] = {
    {SIGFPE, "Floating point exception"},
    {SIGCHLD, "Child exited"},
};

static const struct text names[] = {
    {EAI_NONAME, "Name or service not known"},
    {EAI_AGAIN, "Temporary failure in name resolution"},
    {EAI_FAIL, "Non-recoverable failure in name resolution"},
    {EAI_NODATA, "No address associated with hostname"},
    {EAI_FAMILY, "ai_family not supported"},
    {EAI_SOCKTYPE, "ai_socktype not supported"},
    {EAI_SERVICE, "Servname not supported for ai_socktype"},
    {EAI_MEMORY, "Memory allocation failure"},
    {EAI_BADFLAGS, "Bad value for ai_flags"},
};

#define TEXT_OF(table, number) text_of(table, sizeof table / sizeof *table, number)

static const char *
text_of(const struct text *table, size_t count, int number)
{
    for (size_t n = 0; n < count; n++) {
        if (table[n].number == number) {
            return table[n].text;
        }
    }
    return NULL;
}

char *
__wrap_strerror(int number)
{
    static _Thread_local char unknown[32];
    const char *text = TEXT_OF(errors, number);
    if (text == NULL) {
        text = __real_strerror(number);
        if (strcmp(text, "No error information") == 0) {
            snprintf(unknown, sizeof unknown, "Unknown error %d", number);
            text = unknown;
        }
    }
    return (char *)text;
}

int
__wrap_strerror_r(int number, char *out, size_t size)
{
    int length = snprintf(out, size, "%s", __wrap_strerror(number));
    return length >= 0 && (size_t)length < size ? 0 : ERANGE;
}

char *
__wrap_strsignal(int number)
{
    static _Thread_local char real_time[32];
    if (number >= SIGRTMIN && number <= SIGRTMAX) {
        snprintf(real_time, sizeof real_time, "Real-time signal %d", number - SIGRTMIN);
        return real_time;
    }
    const char *text = TEXT_OF(signals, number);
    return text != NULL ? (char *)text : __real_strsignal(number);
}

const char *
__wrap_gai_strerror(int number)
{
    const char *text = TEXT_OF(names, number);
    return text != NULL ? text : __real_gai_strerror(number);
}
