// Builds ../static from this folder: one script, one style sheet, the page, and the licences of what is bundled.
import { createHash } from "node:crypto";
import { copyFile, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { build } from "esbuild";

const OUT = "../static";
const COPIED = ["index.html", "favicon.svg"];
const LICENCE = /^(licen[cs]e|notice)/i;

async function licences(metafile) {
  const packages = new Set();
  for (const input of Object.keys(metafile.inputs)) {
    const name = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1];
    if (name) packages.add(name);
  }
  const texts = [];
  for (const name of [...packages].sort()) {
    const folder = `node_modules/${name}`;
    const { version, license } = JSON.parse(await readFile(`${folder}/package.json`, "utf8"));
    const files = (await readdir(folder)).filter((file) => LICENCE.test(file)).sort();
    const bodies = await Promise.all(files.map((file) => readFile(`${folder}/${file}`, "utf8")));
    texts.push(`${name} ${version} (${license})`, ...bodies.map((body) => body.trim()), "-".repeat(80));
  }
  return `app.js contains these packages.\n\n${texts.join("\n\n")}\n`;
}

// tests/web/test_static.py computes the same digest, so a source changed without a build is noticed.
async function sourceDigest() {
  const files = [...(await readdir("src")).map((file) => `src/${file}`), ...COPIED, "build.mjs", "package-lock.json"];
  const hash = createHash("sha256");
  for (const file of files.sort()) {
    hash.update(`${file}\0`);
    hash.update(await readFile(file));
  }
  return hash.digest("hex");
}

await rm(OUT, { recursive: true, force: true });
await mkdir(OUT, { recursive: true });
const { metafile } = await build({
  entryPoints: ["src/app.ts", "src/app.css"],
  outdir: OUT,
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  metafile: true,
});
await Promise.all(COPIED.map((file) => copyFile(file, `${OUT}/${file}`)));
await writeFile(`${OUT}/licences.txt`, await licences(metafile));
await writeFile(`${OUT}/sources.sha256`, `${await sourceDigest()}\n`);
