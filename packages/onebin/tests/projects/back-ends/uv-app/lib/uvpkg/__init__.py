def main():
    print("uv")
