"""The package's compiled part; everything else about the package is in pyproject.toml."""

from setuptools import Extension, setup

WINOGRAD = Extension(
    "l3net.inference._winograd",
    ["workflow/scripts/l3net/inference/winograd.cpp"],
    depends=[f"workflow/scripts/l3net/inference/winograd_{part}.hpp" for part in ("tiles", "direct")],
    extra_compile_args=["-std=c++17", "-O3", "-ffp-contract=fast", "-fno-trapping-math"],
    optional=True,  # where it cannot be built, TensorFlow does its work
)

setup(ext_modules=[WINOGRAD])
