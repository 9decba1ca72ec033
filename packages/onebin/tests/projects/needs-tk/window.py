import tkinter


def title():
    return tkinter.Tk().title()
