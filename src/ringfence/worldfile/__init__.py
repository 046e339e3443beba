"""World files: YAML text to World and back, every mistake with its line.

`read` and `parse` give a valid `ringfence.model.world.World`, or raise `ringfence.errors.WorldFileError` with all
mistakes of the file at once; `dump` writes a world that reads back as an equal one, and `amended` changes a file that
people wrote to say another world, leaving the rest of it as it is.
"""

from ringfence.worldfile.amending import amended
from ringfence.worldfile.dump import dump
from ringfence.worldfile.files import read_text, replace_text
from ringfence.worldfile.parse import Placed, parse, parse_placed, read

__all__ = ["Placed", "amended", "dump", "parse", "parse_placed", "read", "read_text", "replace_text"]
