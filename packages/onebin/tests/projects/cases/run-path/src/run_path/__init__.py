import os
import runpy

def main():
    print(runpy.run_path(os.path.join(os.path.dirname(__file__), "script.py"), run_name="given")["NAME"])
    print(runpy.run_module("run_path.script", run_name="other")["NAME"])
