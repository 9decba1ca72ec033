/* strftime and wcsftime with glibc's directives, which Python code is written for (ld --wrap).
 *
 * musl knows no ^, # or width of a text and none of k, l, P. Where it knows a directive not, it
 * returns nothing at all, and the whole text is lost without an error. glibc copies such a
 * directive (strftime(3)). The C locale is the only one.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

size_t __real_strftime(char *out, size_t size, const char *format, const struct tm *when);

/* Where a text goes: of char, or of wchar_t. */
struct out {
    char *narrow;
    wchar_t *wide;
    size_t at, size;
};

static void
put(struct out *out, wchar_t one)
{
    if (out->at < out->size) {
        if (out->narrow != NULL) {
            out->narrow[out->at] = (char)one;
        }
        else {
            out->wide[out->at] = one;
        }
    }
    out->at++;
}

static const char *
composed_of(char directive)
{
    switch (directive) {
    case 'c': return "%a %b %e %H:%M:%S %Y";
    case 'D': case 'x': return "%m/%d/%y";
    case 'F': return "%Y-%m-%d";
    case 'r': return "%I:%M:%S %p";
    case 'R': return "%H:%M";
    case 'T': case 'X': return "%H:%M:%S";
    default: return NULL;
    }
}

enum { TEXT_BYTES = 128 };

/* One directive: the value or text, and how it is padded without a flag or width. */
struct part {
    char text[TEXT_BYTES];
    long number;
    int is_number, width;
    char pad;
};

static void
set_number(struct part *part, long number, int width, char pad)
{
    part->is_number = 1;
    part->number = number;
    part->width = width;
    part->pad = pad;
}

static size_t format_narrow(char *out, size_t size, const char *format, const struct tm *when);

/* Returns 0 for a directive that there is not. */
static int
convert(char directive, const struct tm *when, struct part *part)
{
    long year = when->tm_year + 1900L;
    long hour = when->tm_hour % 12 == 0 ? 12 : when->tm_hour % 12;
    char asked[] = {'%', directive, 0};
    const char *composed = composed_of(directive);
    memset(part, 0, sizeof *part);
    part->pad = ' ';
    if (composed != NULL) {
        format_narrow(part->text, sizeof part->text, composed, when);
        return 1;
    }
    switch (directive) {
    case 'C': set_number(part, year / 100 - (year % 100 < 0), 1, '0'); return 1;
    case 'd': set_number(part, when->tm_mday, 2, '0'); return 1;
    case 'e': set_number(part, when->tm_mday, 2, ' '); return 1;
    case 'H': set_number(part, when->tm_hour, 2, '0'); return 1;
    case 'I': set_number(part, hour, 2, '0'); return 1;
    case 'k': set_number(part, when->tm_hour, 2, ' '); return 1;
    case 'l': set_number(part, hour, 2, ' '); return 1;
    case 'j': set_number(part, when->tm_yday + 1, 3, '0'); return 1;
    case 'm': set_number(part, when->tm_mon + 1, 2, '0'); return 1;
    case 'M': set_number(part, when->tm_min, 2, '0'); return 1;
    case 'S': set_number(part, when->tm_sec, 2, '0'); return 1;
    case 'y': set_number(part, (year % 100 + 100) % 100, 2, '0'); return 1;
    case 'Y': set_number(part, year, 1, '0'); return 1;
    case 'g': case 'G': case 's': case 'u': case 'U': case 'V': case 'w': case 'W':
        __real_strftime(part->text, sizeof part->text, asked, when);
        sscanf(part->text, "%ld", &part->number);
        set_number(part, part->number, strchr("gUVW", directive) ? 2 : 1, '0');
        return 1;
    case 'n': strcpy(part->text, "\n"); return 1;
    case 't': strcpy(part->text, "\t"); return 1;
    case '%': strcpy(part->text, "%"); return 1;
    case 'P': asked[1] = 'p'; /* fall through */
    case 'a': case 'A': case 'b': case 'B': case 'h': case 'p': case 'z': case 'Z':
        if (__real_strftime(part->text, sizeof part->text, asked, when) == 0) {
            part->text[0] = 0;
        }
        /* musl names only zones whose text it has made itself. */
        if (directive == 'Z' && part->text[0] == 0 && when->tm_isdst >= 0) {
            snprintf(part->text, sizeof part->text, "%s", tzname[when->tm_isdst > 0]);
        }
        return 1;
    default: return 0;
    }
}

static void
write_part(struct out *out, struct part *part, char directive, const char *flags, int width)
{
    char pad = part->pad;
    int is_upper = 0, is_lower = directive == 'P';
    for (; *flags != 0; flags++) {
        switch (*flags) {
        case '^': is_upper = 1; break;
        case '#': *(strchr("pZ", directive) ? &is_lower : &is_upper) = 1; break;
        default: pad = *flags == '_' ? ' ' : *flags;
        }
    }
    if (part->is_number) {
        int sign = part->number < 0;
        snprintf(part->text, sizeof part->text, "%ld", sign ? -part->number : part->number);
        if (sign) {
            put(out, '-');
        }
        width = width > 0 ? width - sign : part->width;
    }
    for (int n = (int)strlen(part->text); pad != '-' && n < width; n++) {
        put(out, pad);
    }
    for (const char *at = part->text; *at != 0; at++) {
        int one = (unsigned char)*at;
        put(out, is_lower ? tolower(one) : is_upper ? toupper(one) : one);
    }
}

/* Format with the characters that *at* returns for *format*. */
static size_t
format_time(struct out *out, wchar_t (*at)(const void *, size_t), const void *format,
            const struct tm *when)
{
    enum { MOST = 1024 };
    for (size_t n = 0; at(format, n) != 0; n++) {
        if (at(format, n) != '%') {
            put(out, at(format, n));
            continue;
        }
        char flags[8] = "";
        size_t from = n++, count = 0;
        int width = 0;
        for (wchar_t one; (one = at(format, n)) != 0 && one < 128 && strchr("_-0^#", one); n++) {
            if (count < sizeof flags - 1) {
                flags[count++] = (char)one;
            }
        }
        for (; at(format, n) >= '0' && at(format, n) <= '9'; n++) {
            width = width > MOST ? width : width * 10 + (int)(at(format, n) - '0');
        }
        /* In the C locale other eras and digits are the usual ones. */
        if ((at(format, n) == 'E' || at(format, n) == 'O') && at(format, n + 1) != 0) {
            n++;
        }
        struct part part;
        wchar_t directive = at(format, n);
        if (directive > 0 && directive < 128 && convert((char)directive, when, &part)) {
            write_part(out, &part, (char)directive, flags, width);
            continue;
        }
        n -= directive == 0;
        for (; from <= n; from++) {
            put(out, at(format, from));
        }
    }
    put(out, 0);
    return out->at <= out->size ? out->at - 1 : 0;
}

static wchar_t
narrow_at(const void *format, size_t n)
{
    return (wchar_t)((const unsigned char *)format)[n];
}

static wchar_t
wide_at(const void *format, size_t n)
{
    return ((const wchar_t *)format)[n];
}

static size_t
format_narrow(char *out, size_t size, const char *format, const struct tm *when)
{
    return format_time(&(struct out){.narrow = out, .size = size}, narrow_at, format, when);
}

size_t
__wrap_strftime(char *out, size_t size, const char *format, const struct tm *when)
{
    return format_narrow(out, size, format, when);
}

size_t
__wrap_wcsftime(wchar_t *out, size_t size, const wchar_t *format, const struct tm *when)
{
    return format_time(&(struct out){.wide = out, .size = size}, wide_at, format, when);
}
