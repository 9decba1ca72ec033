// Node's fetch and http as clients: one line of JSON per request: name and outcome.
//
// usage: node client.mjs URL
import http from "node:http";

const base = process.argv[2];
const report = (name, outcome) => console.log(JSON.stringify([name, outcome]));

async function fetched(path, options) {
  const response = await fetch(base + path, options);
  const text = await response.text();
  return `${response.status}, ${text === "" ? "no body" : (JSON.parse(text), "JSON")}`;
}

// Send one request by the older interface; return whether the socket is reused.
function sent(agent, method, path, { headers = {}, pieces = [] } = {}) {
  return new Promise((resolve) => {
    const request = http.request(base + path, { agent, method, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (piece) => (text += piece));
      response.on("end", () => {
        const kind = text === "" ? "no body" : (JSON.parse(text), "JSON");
        const how = request.reusedSocket ? "reused" : "new";
        resolve(`${continued}${response.statusCode}, ${kind}, ${how}`);
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

report("fetch", await fetched("/"));
report("fetch, HEAD", await fetched("/", { method: "HEAD" }));
report("fetch, an unknown path", await fetched("/nothing"));
report("fetch, POST with a length", await fetched("/health", { method: "POST", body: "abc" }));
const stream = new ReadableStream({
  start(controller) {
    for (let n = 0; n < 50; n++) controller.enqueue(new Uint8Array(4096));
    controller.close();
  },
});
const streamed = { method: "POST", body: stream, duplex: "half" };
report("fetch, POST in chunks", await fetched("/health", streamed));
const many = await Promise.all(Array.from({ length: 200 }, () => fetched("/health")));
report("fetch, 200 at once", [...new Set(many)].join("; "));

const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
report("http", await sent(agent, "GET", "/"));
report("http, again", await sent(agent, "GET", "/health"));
report("http, HEAD", await sent(agent, "HEAD", "/"));
report("http, POST in chunks", await sent(agent, "POST", "/", { pieces: ["abc", "def"] }));
const headers = { Expect: "100-continue", "Content-Length": 3 };
report("http, POST with Expect", await sent(agent, "POST", "/", { headers, pieces: ["abc"] }));
agent.destroy();
report("http, no agent", await sent(false, "GET", "/health"));
