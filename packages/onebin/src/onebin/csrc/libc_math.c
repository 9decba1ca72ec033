/* log2 and fma as exact as those of glibc (ld --wrap).
 *
 * The compiler's own ones take the place of musl's: its log2 is inexact for subnormal numbers, and
 * its fma forgets the sign of a zero.
 */
#include <float.h>
#include <math.h>

double __real_log2(double x);
double __real_fma(double x, double y, double z);

double
__wrap_log2(double x)
{
    if (x > 0 && x < DBL_MIN) {
        return __real_log2(x * 0x1p54) - 54; /* both steps are exact for a power of two */
    }
    return __real_log2(x);
}

double
__wrap_fma(double x, double y, double z)
{
    if (x == 0 || y == 0) {
        return x * y + z; /* the product is exact */
    }
    if (z == 0) {
        return x * y; /* rounded once: to a zero with its sign, where it is too small */
    }
    return __real_fma(x, y, z);
}
