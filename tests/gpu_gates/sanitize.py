"""Run block kernels in a process of their own under a sanitizer, which ends the process that it finds something in."""

import functools
import shutil
import subprocess

import numpy as np

from . import host

# sanitizer -> the flags to compile with
SANITIZERS = {
    "thread": ("-DTHREADS", "-fsanitize=thread"),
    "address": ("-DTHREADS", "-fsanitize=address"),
}
NUMBER, ARRAY, NOTHING = range(3)  # kinds of argument
# The program reads: kernel, grid, block, number of arguments; then of each its kind, how many bytes, and these. It
# launches, and writes the arrays out.
MAIN = r"""
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
enum { NUMBER, ARRAY, NOTHING };
typedef bool (*Run)(unsigned, unsigned, unsigned, unsigned, void**);
static const std::map<std::string, Run> kernels = {KERNELS};
static int64_t number(FILE* f) { int64_t v; if (fread(&v, sizeof v, 1, f) != 1) exit(3); return v; }
int main(int, char** path) {
  FILE* f = fopen(path[1], "rb");
  std::string name(number(f), ' ');
  if (fread(name.data(), 1, name.size(), f) != name.size()) return 3;
  unsigned shape[4];
  for (unsigned& s : shape) s = number(f);
  struct Argument { int64_t kind, size; char* memory; };
  std::vector<Argument> all(number(f));
  std::vector<void*> given;
  for (Argument& a : all) {
    a.kind = number(f), a.size = number(f);
    a.memory = a.kind == NOTHING ? nullptr : (char*)malloc(a.size);
    if (a.size && fread(a.memory, 1, a.size, f) != (size_t)a.size) return 3;
    given.push_back(a.kind == NUMBER ? a.memory : (char*)&a.memory);
  }
  fclose(f);
  if (!kernels.at(name)(shape[0], shape[1], shape[2], shape[3], given.data())) return 4;
  f = fopen(path[2], "wb");
  for (Argument& a : all)
    if (a.kind == ARRAY) fwrite(a.memory, 1, a.size, f);
  for (Argument& a : all) free(a.memory);
  return fclose(f);
}
"""


@functools.cache
def why_not(sanitizer):
    """Why a sanitizer cannot be used here, or None."""
    if (reason := host.why_not()) is not None:
        return reason
    try:
        program = host.build("int main() { return 0; }", f"empty-{sanitizer}", *SANITIZERS[sanitizer])
    except SyntaxError:
        return f"g++ has no {sanitizer} sanitizer here"
    done = subprocess.run(_command(program), capture_output=True, text=True)
    return None if done.returncode == 0 else f"the {sanitizer} sanitizer does not start here: {done.stderr[:100]}"


def _command(program, *arguments):
    # the thread sanitizer needs memory where it expects it
    fixed = [shutil.which("setarch"), "-R"] if shutil.which("setarch") else []
    return [*fixed, str(program), *map(str, arguments)]


@functools.cache
def program(families, sanitizer, name="program"):
    """A program that can launch every kernel of some families (a tuple)."""
    spaces = [(f"{family.name}_{kind}", f"{k}_{kind}") for family in families for k in family.kernels
              for kind in host.TYPES.values()]  # fmt: skip
    table = ", ".join(f'{{"{name}", {space}::{name}_run}}' for space, name in spaces)
    text = host.block_text(families) + MAIN.replace("KERNELS", table)
    return host.build(text, f"{name}-{sanitizer}", *SANITIZERS[sanitizer])


def run(program, launch, timeout=120):
    """Launch once; returns the exit status, what the sanitizer said, and the arrays afterwards."""
    family, name, dtype, grid, block, arguments = launch
    host.checked(family, name, dtype, arguments)
    title = f"{name}_{host.TYPES[np.dtype(dtype)]}".encode()
    parts = [_word(len(title)), title, *map(_word, (*(*grid, 1)[:2], *(*block, 1)[:2])), _word(len(arguments))]
    arrays = []
    for x in arguments:
        kind = NOTHING if x is None else ARRAY if isinstance(x, np.ndarray) else NUMBER
        content = b"" if x is None else x.tobytes()
        parts += [_word(kind), _word(len(content)), content]
        arrays += [x] if kind == ARRAY else []
    given, taken = host.folder() / "launch.in", host.folder() / "launch.out"
    given.write_bytes(b"".join(parts))
    done = subprocess.run(_command(program, given, taken), capture_output=True, text=True, timeout=timeout)
    if done.returncode:
        return done.returncode, done.stderr, []
    left, outs = taken.read_bytes(), []
    for x in arrays:
        outs.append(np.frombuffer(left[: x.nbytes], x.dtype).reshape(x.shape))
        left = left[x.nbytes :]
    return 0, done.stderr, outs


def _word(number):
    return np.int64(number).tobytes()
