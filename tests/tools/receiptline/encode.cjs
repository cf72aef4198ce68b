// node encode.cjs text|paper. Standard input: a JSON list of texts; output: ESC/POS bytes as hex,
// of each text by itself, or of one receipt that has the texts as its lines.
const { commands, transform } = require("receiptline");
const texts = JSON.parse(require("fs").readFileSync(0, "utf8"));
const printer = { command: "escpos", encoding: "gb18030", cpl: 32, cutting: false };
const work = {
  text: () => texts.map((text) => commands.escpos.text(text, printer.encoding)),
  paper: () => [transform(texts.join("\n"), printer)],
};
const jobs = work[process.argv[2]]();
console.log(JSON.stringify(jobs.map((bytes) => Buffer.from(bytes, "latin1").toString("hex"))));
