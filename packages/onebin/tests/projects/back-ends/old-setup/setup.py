from setuptools import setup
setup(name="old-setup", version="9", packages=["oldpkg"], entry_points={"console_scripts": ["old = oldpkg:main"]})
