import codecs

NAMES = "cp 1252|shift jis|utf 7|idna|punycode|koi8 r|gb18030|euc kr|rot 13|hex|base64|zip|quopri|mac roman|big5"

def main():
    for name in NAMES.replace(" ", "_").replace("cp_", "cp").replace("utf_7", "utf-7").split("|"):
        print(codecs.lookup(name).name, end=" ")
    print()
    print("\u20ac".encode("cp" + "1252"), b"\x83\x65".decode("shift" + "_jis"))
