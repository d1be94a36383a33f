// Runs the tests of what needs no browser: bundled first, since node reads no TypeScript.
import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const TESTS = ["engine.test", "layout.test"];
const out = mkdtempSync(join(tmpdir(), "headset-page-"));
await build({ entryPoints: TESTS.map((name) => `tests/${name}.ts`), bundle: true, platform: "node", format: "esm", outdir: out, outExtension: { ".js": ".mjs" }, absWorkingDir: dirname(fileURLToPath(import.meta.url)) });
const { status } = spawnSync(process.execPath, ["--test", ...TESTS.map((name) => join(out, `${name}.mjs`))], { stdio: "inherit" });
rmSync(out, { recursive: true });
process.exit(status ?? 1);
