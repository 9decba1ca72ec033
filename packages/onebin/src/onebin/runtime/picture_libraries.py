"""The C libraries behind extensions that read and draw pictures, as ``extension_libraries``."""

from typing import Final

from onebin.model import Package, Source

from .library import Command, Compile, Library, Text

JPEG: Final = Source(
    name="libjpeg-turbo",
    version="3.1.3",
    sha256="3a13a5ba767dc8264bc40b185e41368a80d5d5f945944d1dbaa4b2fb0099f4e5",
    debian_file="libjpeg-turbo_3.1.3.orig.tar.gz",
)

JPEG_ONCE: Final = (
    "jcapimin", "jchuff", "jcicc", "jcinit", "jclhuff", "jcmarker", "jcmaster", "jcomapi",
    "jcparam", "jcphuff", "jctrans", "jdapimin", "jdatadst", "jdatasrc", "jdhuff", "jdicc",
    "jdinput", "jdlhuff", "jdmarker", "jdmaster", "jdphuff", "jdtrans", "jerror", "jfdctflt",
    "jmemmgr", "jmemnobs", "jpeg_nbits", "jaricom", "jcarith", "jdarith",
)  # fmt: skip

JPEG_BITS: Final = {
    "8-12": (
        "jccoefct", "jcdctmgr", "jdcoefct", "jddctmgr", "jdmerge", "jfdctfst", "jfdctint",
        "jidctflt", "jidctfst", "jidctint", "jidctred", "jquant1", "jquant2",
    ),
    "8-12-16": (
        "jcapistd", "jccolor", "jcdiffct", "jclossls", "jcmainct", "jcprepct", "jcsample",
        "jdapistd", "jdcolor", "jddiffct", "jdlossls", "jdmainct", "jdpostct", "jdsample", "jutils",
    ),
}  # fmt: skip
"""Files that are compiled once for each number of bits of a sample."""

FREETYPE: Final = Source(
    name="FreeType",
    version="2.14.3",
    sha256="dc1bec263a6fffa436029efe6428f601d6b1a0b800837508ee3e49bbab8f1006",
    debian_file="freetype_2.14.3+dfsg.orig.tar.xz",
)

FREETYPE_FILES: Final = (
    *(
        f"base/ft{name}"
        for name in (
            "system", "init", "debug", "base", "bbox", "glyph", "bdf", "bitmap", "cid", "fstype",
            "gasp", "gxval", "mm", "otval", "patent", "pfr", "stroke", "synth", "type1", "winfnt",
        )
    ),
    "autofit/autofit", "bdf/bdf", "cache/ftcache", "cff/cff", "cid/type1cid", "gzip/ftgzip",
    "lzw/ftlzw", "pcf/pcf", "pfr/pfr", "psaux/psaux", "pshinter/pshinter", "psnames/psnames",
    "raster/raster", "sdf/sdf", "sfnt/sfnt", "smooth/smooth", "svg/svg", "truetype/truetype",
    "type1/type1", "type42/type42", "winfonts/winfnt",
)  # fmt: skip
"""Source: docs/INSTALL.ANY; the modules of include/freetype/config/ftmodule.h."""

WEBP: Final = Source(
    name="libwebp",
    version="1.6.0",
    sha256="e4ab7009bf0629fd11982d4c2aa83964cf244cffba7347ecd39019a9e38c4564",
    debian_file="libwebp_1.6.0.orig.tar.gz",
)

LCMS: Final = Source(
    name="Little CMS",
    version="2.16",
    sha256="d873d34ad8b9b4cea010631f1a6228d2087475e4dc5e763eb81acc23d9d45a51",
    debian_file="lcms2_2.16.orig.tar.gz",
)


def picture_libraries() -> tuple[Library, ...]:
    """Return their recipes."""
    return _jpeg(), _freetype(), _webp(), _lcms()


def _jpeg() -> Library:
    major, minor, patch = JPEG.version.split(".")
    number = f"{major}{minor:0>3}{patch:0>3}"
    off, on = "/* not defined: {} */", "#define {} 1"
    replace = {
        "@JPEG_LIB_VERSION@": "62", "@VERSION@": JPEG.version, "@BUILD@": "0",
        "@LIBJPEG_TURBO_VERSION_NUMBER@": number, "@CMAKE_PROJECT_NAME@": "libjpeg-turbo",
        "@HIDDEN@": '__attribute__((visibility("hidden")))', "@SIZE_T@": "8",
        "@INLINE@": "inline __attribute__((always_inline))", "@THREAD_LOCAL@": "_Thread_local",
        "@COPYRIGHT_YEAR@": "1991-2025",
        **{
            f"#cmakedefine {name} 1": state.format(name)
            for name, state in (
                ("C_ARITH_CODING_SUPPORTED", on), ("D_ARITH_CODING_SUPPORTED", on),
                # Its assembly is for another assembler (nasm).
                ("WITH_SIMD", off), ("RIGHT_SHIFT_IS_UNSIGNED", off),
            )
        },
        "#cmakedefine HAVE_BUILTIN_CTZL": on.format("HAVE_BUILTIN_CTZL"),
        "#cmakedefine HAVE_INTRIN_H": off.format("HAVE_INTRIN_H"),
    }  # fmt: skip
    texts = tuple(
        Text(f"src/{name}", template=f"src/{name}.in", replace=replace)
        for name in ("jconfig.h", "jconfigint.h", "jversion.h")
    )
    wrapped = tuple(
        f"src/wrapper/{name}-{number}.c"
        for bits, names in JPEG_BITS.items()
        for name in names
        for number in bits.split("-")
    )
    return Library(
        name="libjpeg-turbo",
        source=JPEG,
        license="IJG AND BSD-3-Clause AND Zlib",
        steps=(
            *texts,
            Compile(
                "libjpeg.a", (*(f"src/{name}.c" for name in JPEG_ONCE), *wrapped),
                ("-O2", "-DNDEBUG", "-Isrc"),
            ),
        ),
        headers=tuple(
            (f"src/{name}.h", "") for name in ("jpeglib", "jconfig", "jmorecfg", "jerror")
        ),
        archives=("libjpeg.a",),
        packages=(Package("libjpeg", ("jpeg",)),),
    )  # fmt: skip


def _freetype() -> Library:
    return Library(
        name="FreeType",
        source=FREETYPE,
        license="FTL",
        steps=(
            Compile(
                "libfreetype.a", tuple(f"src/{name}.c" for name in FREETYPE_FILES),
                ("-O2", "-DNDEBUG", "-DFT2_BUILD_LIBRARY", "-Iinclude"),
            ),
        ),
        headers=(
            ("include/ft2build.h", "freetype2"),
            ("include/freetype/*.h", "freetype2/freetype"),
            ("include/freetype/config/*.h", "freetype2/freetype/config"),
        ),
        archives=("libfreetype.a",),
        packages=(Package("freetype2", ("freetype",), "freetype2"),),
    )  # fmt: skip


def _webp() -> Library:
    archives = (
        "src/mux/libwebpmux.a", "src/demux/libwebpdemux.a", "src/libwebp.a",
        "sharpyuv/libsharpyuv.a",
    )  # fmt: skip
    make = ("make", "-j{jobs}", "-f", "makefile.unix", "CC=cc", "AR=ar")
    return Library(
        name="libwebp",
        source=WEBP,
        license="BSD-3-Clause",
        steps=(Command((*make, "CFLAGS=-O2 -DNDEBUG", *archives)),),
        headers=(("src/webp/*.h", "webp"),),
        archives=archives,
        programs=("make",),
        packages=(
            Package("libwebp", ("webp", "sharpyuv")),
            Package("libwebpmux", ("webpmux", "webp", "sharpyuv")),
            Package("libwebpdemux", ("webpdemux", "webp", "sharpyuv")),
        ),
    )


def _lcms() -> Library:
    names = (
        "alpha", "cam02", "cgats", "cnvrt", "err", "gamma", "gmt", "half", "intrp", "io0", "io1",
        "lut", "md5", "mtrx", "named", "opt", "pack", "pcs", "plugin", "ps2", "samp", "sm", "types",
        "virt", "wtpnt", "xform",
    )  # fmt: skip
    return Library(
        name="Little CMS",
        source=LCMS,
        license="MIT",
        steps=(
            Compile(
                "liblcms2.a", tuple(f"src/cms{name}.c" for name in names),
                ("-O2", "-DNDEBUG", "-Iinclude", "-Isrc"),
            ),
        ),
        headers=(("include/lcms2.h", ""), ("include/lcms2_plugin.h", "")),
        archives=("liblcms2.a",),
        packages=(Package("lcms2", ("lcms2",)),),
    )  # fmt: skip
