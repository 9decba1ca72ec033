import locale

def main():
    for name in ("C", "POSIX", "C.UTF-8", "de_DE.UTF-8", "xx_YY", "de_DE", "en_US.ISO-8859-1"):
        for category in (locale.LC_ALL, locale.LC_TIME):
            try:
                print(name, locale.setlocale(category, name))
            except locale.Error as error:
                print(name, error)
    locale.setlocale(locale.LC_ALL, "C.UTF-8")
    print(locale.setlocale(locale.LC_ALL), locale.getlocale(), locale.format_string("%d", 1234, True))
