/* The roots of trust of the machine: OpenSSL's one default place is not where most systems have
 * them. The linker sends its question here (--wrap); SSL_CERT_FILE still comes first.
 *
 * Source: the list of Go's crypto/x509/root_linux.go; then certifi's bundle, if it is inside.
 */
#include <unistd.h>

static const char *const bundles[] = {
    "/etc/ssl/certs/ca-certificates.crt",                /* Debian, Alpine, Arch, distroless */
    "/etc/pki/tls/certs/ca-bundle.crt",                  /* Fedora, RHEL */
    "/etc/ssl/ca-bundle.pem",                            /* openSUSE */
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* RHEL */
    "/etc/ssl/cert.pem",                                 /* Alpine, BSD */
    "/onebin/certifi/cacert.pem",                        /* the distribution certifi */
};

const char *
__wrap_X509_get_default_cert_file(void)
{
    for (unsigned n = 0; n < sizeof bundles / sizeof *bundles; n++) {
        if (access(bundles[n], R_OK) == 0) {
            return bundles[n];
        }
    }
    return bundles[0];
}
