# A stand-in for gcr.io/distroless/static:nonroot where no registry can be reached.
#
# Made as the real one is (GoogleContainerTools/distroless, static/ and common/): the files of
# Debian 12's base-files, media-types, netbase and tzdata with their licences and dpkg records,
# the certificates of ca-certificates as one bundle, users, groups, homes, /tmp. No program.
#
# Debian 12, as the seed's image is: its log lists four package layers, and Debian 13 would need a
# fifth (tzdata-legacy). Compressed with gzip -9, against the layers in the seed's log, in kB:
#
#                 base-files  media-types  netbase  tzdata  certificates    sum
#   seed's log         104.2         31.2     13.4   544.1         131.9  826.3 with eight tiny ones
#   here                83.6         28.0     12.1   470.2         137.8  728.6 as one layer
#
# So it is a tenth smaller than the real one: what we compare with is never the worse for it.
# Unpacked it is 2.1 MB; the project itself says "around 2 MiB".
FROM debian:trixie-slim AS rootfs
RUN sed -i 's/trixie/bookworm/' /etc/apt/sources.list.d/debian.sources \
 && apt-get -qq update \
 && mkdir /debs /rootfs && cd /debs \
 && apt-get -qq -o APT::Sandbox::User=root download \
        base-files/bookworm ca-certificates/bookworm media-types/bookworm \
        netbase/bookworm tzdata/bookworm
WORKDIR /rootfs
RUN set -e; \
    mkdir -p etc/ssl/certs var/lib/dpkg/status.d usr/share/doc/ca-certificates; \
    for deb in /debs/*.deb; do \
        name=$(dpkg-deb --field "$deb" Package); \
        dpkg-deb --ctrl-tarfile "$deb" | tar -xO ./control >"var/lib/dpkg/status.d/$name"; \
        dpkg-deb --ctrl-tarfile "$deb" | tar -xO ./md5sums >"var/lib/dpkg/status.d/$name.md5sums"; \
        case $name in \
            ca-certificates) dpkg-deb -x "$deb" /certificates ;; \
            *) dpkg-deb -x "$deb" . ;; \
        esac; \
    done; \
    find /certificates -name '*.crt' -path '*/mozilla/*' | LC_ALL=C sort \
        | xargs cat >etc/ssl/certs/ca-certificates.crt; \
    cp /certificates/usr/share/doc/ca-certificates/copyright usr/share/doc/ca-certificates/; \
    printf '%s\n' 'PRETTY_NAME="Distroless stand-in"' 'NAME="Debian GNU/Linux"' 'ID="debian"' \
        'VERSION_ID="12"' 'VERSION="Debian GNU/Linux 12 (bookworm)"' >usr/lib/os-release; \
    printf '%s\n' 'root:x:0:0:root:/root:/sbin/nologin' \
        'nobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin' \
        'nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin' >etc/passwd; \
    printf '%s\n' 'root:x:0:' 'nobody:x:65534:' 'tty:x:5:' 'staff:x:50:' 'nonroot:x:65532:' >etc/group; \
    printf '%s\n' 'passwd: compat' 'group: compat' 'hosts: files dns' 'networks: files' \
        'protocols: db files' 'services: db files' >etc/nsswitch.conf; \
    mkdir -p root home/nonroot tmp; \
    chmod 700 root home/nonroot; chmod 1777 tmp; chown 65532:65532 home/nonroot

FROM scratch
COPY --from=rootfs /rootfs /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
USER 65532
WORKDIR /home/nonroot
