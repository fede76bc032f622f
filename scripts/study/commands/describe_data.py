"""Describe a data set of your own: its files in MNIST's form, their checksums, its classes.

From a NumPy file (.npz) with the arrays x_train, y_train, x_test and y_test, or from a folder with
four IDX files of which two have 'train' and two 'test' or 't10k' in their names. The folder that is
named by --output gets the IDX files and dataset.yaml, to be named under `data.dataset`.
"""

import argparse
import re
import sys
from pathlib import Path

from study.commands import options
from study.data import idx_import
from study.support.errors import StudyError


def name(word: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", word):
        raise argparse.ArgumentTypeError("letters, digits, '.', '_' and '-': it names a folder")
    return word


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", type=Path, help="an .npz file, or a folder with four IDX files")
    options.add(parser, "--output", help="the folder to write into")
    parser.add_argument("--name", type=name, required=True, help="what the data set is called")
    parser.add_argument("--classes", nargs="+", help="names of the classes, label 0 first")


def run(args: argparse.Namespace) -> None:
    if not args.source.exists():
        raise StudyError(f"{args.source}: no such file or folder")
    read = idx_import.read_folder if args.source.is_dir() else idx_import.read_npz
    arrays = read(args.source)
    described = idx_import.described(arrays, args.classes)
    for warning in described.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    path = idx_import.write(args.output, args.name, described)
    print(f"{path}: {described.text}")
    print("name it in the study's config:")
    print(f"  data:\n    dataset: {path}\n    sources: [{args.output}]")
