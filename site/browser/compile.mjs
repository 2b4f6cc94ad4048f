// Compile a folder of Python with the Python that will run it, Pyodide's own, into one zip of .pyc files.
// Usage: node compile.mjs FOLDER ZIP
import { writeFileSync } from "node:fs";
import { loadPyodide } from "pyodide";

const [folder, zip] = process.argv.slice(2);
const python = await loadPyodide();
python.FS.mkdir("/tree");
python.FS.mount(python.FS.filesystems.NODEFS, { root: folder }, "/tree");
python.runPython(`
import marshal, pathlib, struct, zipfile
from importlib.util import MAGIC_NUMBER

UNCHECKED = MAGIC_NUMBER + struct.pack("<I", 0b01) + bytes(8)  # PEP 552: whoever wrote it knows that it is right
tree = pathlib.Path("/tree")
with zipfile.ZipFile("/course.zip", "w", zipfile.ZIP_STORED) as packed:  # compressed as a whole
    for path in sorted(path for path in tree.rglob("*") if path.is_file()):
        name, content = str(path.relative_to(tree)), path.read_bytes()
        if path.suffix == ".py":
            code = compile(content, name, "exec", dont_inherit=True)
            name, content = name + "c", UNCHECKED + marshal.dumps(code)
        packed.writestr(zipfile.ZipInfo(name), content)
`);
writeFileSync(zip, python.FS.readFile("/course.zip"));
