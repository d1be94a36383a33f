// Builds the page's program and style, and the notebook's widget, into ../built, or into the folder that is named. The same sources give the same bytes.
import { build } from "esbuild";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] ?? join(here, "..", "built");
const common = { bundle: true, minify: true, format: "iife", target: ["chrome120", "firefox120"], charset: "ascii", legalComments: "none", absWorkingDir: here };
const preact = { jsx: "automatic", jsxImportSource: "preact" };
const banner = "/* headset explorer, Apache-2.0. Built from pipeline/views/explorer/page by `npm run build`; contains Preact, MIT. */";

const worker = await build({ ...common, entryPoints: ["src/worker.ts"], write: false });
await build({
  ...common,
  entryPoints: ["src/main.tsx"],
  outfile: join(out, "explorer.js"),
  ...preact,
  banner: { js: banner },
  define: { WORKER: JSON.stringify(worker.outputFiles[0].text) },
});
const style = { ...common, format: undefined, entryPoints: ["src/style.css"] };
await build({ ...style, outfile: join(out, "explorer.css") });
const sheet = await build({ ...style, write: false });
await build({
  ...common,
  ...preact,
  format: "esm",
  entryPoints: ["src/widget.tsx"],
  outfile: join(out, "widget.js"),
  banner: { js: banner.replace("explorer,", "widget,") },
  define: { STYLE: JSON.stringify(sheet.outputFiles[0].text) },
});
