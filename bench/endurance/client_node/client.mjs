// Node's fetch and http as clients: one line of JSON for each thing asked, name and outcome.
//
// usage: node client.mjs URL
import http from "node:http";

const base = process.argv[2];
const tell = (name, outcome) => console.log(JSON.stringify([name, outcome]));

async function fetched(path, options) {
  const answer = await fetch(base + path, options);
  const text = await answer.text();
  return `${answer.status}, ${text === "" ? "no body" : (JSON.parse(text), "JSON")}`;
}

// Ask once by the older interface and say whether the socket had been used before.
function asked(agent, method, path, { headers = {}, pieces = [] } = {}) {
  return new Promise((resolve) => {
    const request = http.request(base + path, { agent, method, headers }, (answer) => {
      let text = "";
      answer.setEncoding("utf8");
      answer.on("data", (piece) => (text += piece));
      answer.on("end", () => {
        const kind = text === "" ? "no body" : (JSON.parse(text), "JSON");
        const how = request.reusedSocket ? "reused" : "new";
        resolve(`${continued}${answer.statusCode}, ${kind}, ${how}`);
      });
    });
    let continued = "";
    const send = () => {
      for (const piece of pieces) request.write(piece);
      request.end();
    };
    request.on("error", (error) => resolve(String(error)));
    if (headers.Expect) {
      request.on("continue", () => {
        continued = "100, ";
        send();
      });
      request.flushHeaders();
    } else {
      send();
    }
  });
}

tell("fetch", await fetched("/"));
tell("fetch, HEAD", await fetched("/", { method: "HEAD" }));
tell("fetch, what is not there", await fetched("/nothing"));
tell("fetch, POST with a length", await fetched("/health", { method: "POST", body: "abc" }));
const stream = new ReadableStream({
  start(controller) {
    for (let n = 0; n < 50; n++) controller.enqueue(new Uint8Array(4096));
    controller.close();
  },
});
const streamed = { method: "POST", body: stream, duplex: "half" };
tell("fetch, POST in chunks", await fetched("/health", streamed));
const many = await Promise.all(Array.from({ length: 200 }, () => fetched("/health")));
tell("fetch, 200 at once", [...new Set(many)].join("; "));

const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
tell("http", await asked(agent, "GET", "/"));
tell("http, again", await asked(agent, "GET", "/health"));
tell("http, HEAD", await asked(agent, "HEAD", "/"));
tell("http, POST in chunks", await asked(agent, "POST", "/", { pieces: ["abc", "def"] }));
const headers = { Expect: "100-continue", "Content-Length": 3 };
tell("http, POST that asks first", await asked(agent, "POST", "/", { headers, pieces: ["abc"] }));
agent.destroy();
tell("http, no agent", await asked(false, "GET", "/health"));
