import gettext
import pathlib

def main():
    folder = pathlib.Path(__file__).parent / "locale"
    for languages in (["de"], ["fr"]):
        print(gettext.translation("app", folder, languages=languages, fallback=True).gettext("hello"))
    print(gettext.find("app", folder, ["de"]).rpartition("locale")[2])
