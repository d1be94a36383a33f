// Runs the tests of what needs no browser: bundled first, since node reads no TypeScript.
import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const out = mkdtempSync(join(tmpdir(), "headset-page-"));
await build({ entryPoints: ["tests/engine.test.ts"], bundle: true, platform: "node", format: "esm", outdir: out, outExtension: { ".js": ".mjs" }, absWorkingDir: dirname(fileURLToPath(import.meta.url)) });
const { status } = spawnSync(process.execPath, ["--test", join(out, "engine.test.mjs")], { stdio: "inherit" });
rmSync(out, { recursive: true });
process.exit(status ?? 1);
