// Plays the desk's API for the screens' own tests: `node mock/server.mjs [port]`, or `startMock()` in a test.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { WebSocketServer } from "ws";

import { INSTRUMENTS, OPEN, seeded, Tape, VENUES } from "./market.mjs";
import { MockOrder, recommendation } from "./orders.mjs";

const STATIC = new URL("../../../src/bestex/dashboard/static/", import.meta.url).pathname;
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css" };

export async function startMock({ port = 0, seed = 20261121, orders: howMany = 0 } = {}) {
  const random = seeded(seed);
  const tapes = new Map(INSTRUMENTS.map((instrument) => [instrument.instrument_id, new Tape(instrument, random)]));
  let now = OPEN;
  const orders = new Map();
  const alerts = new Map();
  const log = [];
  const sequences = new Map();
  const sockets = new Set();
  let selections = 0;

  const publish = (order, source, type, payload) => {
    const key = `${order}|${source}`;
    const sequence = (sequences.get(key) ?? 0) + 1;
    sequences.set(key, sequence);
    const message = {
      event_id: `e-${log.length + 1}`,
      event_type: type,
      schema_version: 1,
      timestamp: new Date(now).toISOString(),
      source_service: source,
      order_id: order,
      sequence,
      causation_id: null,
      correlation_id: order,
      [type]: structuredClone(payload),
    };
    log.push(message);
    for (const socket of sockets) socket.take(message, log.length);
  };

  const add = (request, sliceMs = 1000) => {
    const order = new MockOrder(request, tapes.get(request.instrument_id), now, random, sliceMs);
    orders.set(request.order_id, order);
    const { order_id, instrument_id, side, quantity, order_type, price, instructions } = order.row;
    publish(order_id, "orders", "order_created", {
      order: { order_id, instrument_id, side, quantity, order_type, price, instructions },
      status: "PENDING",
      actor: "local",
      arrival: order.arrival,
    });
    return order;
  };

  const second = () => {
    for (const tape of tapes.values()) tape.step();
    now += 1000;
    for (const order of orders.values()) {
      for (const [source, type, payload] of order.step(now)) publish(order.row.order_id, source, type, payload);
    }
  };
  for (let index = 0; index < 900; index += 1) second();
  for (let index = 0; index < howMany; index += 1) {
    const instrument = INSTRUMENTS[index % INSTRUMENTS.length];
    add({ order_id: `SEED-${String(index).padStart(5, "0")}`, instrument_id: instrument.instrument_id, side: random() < 0.5 ? "BUY" : "SELL", quantity: 100 * (1 + Math.floor(random() * 200)), order_type: "MARKET", execution_instructions: {} }, index < howMany - 60 ? 1000 : 4000);
    if (index % 10 === 9) second();
  }
  const clock = setInterval(second, 1000);

  const refuse = (status, code, detail, errors = []) => ({ status, body: { type: "about:blank", title: code, status, code, detail, errors } });
  const page = (items) => ({ status: 200, body: { items, next_cursor: null } });
  const ok = (body, status = 200) => ({ status, body });
  const unknown = (id) => refuse(404, "not_found", `no order ${id}`);

  const withOrder = (id, answer) => (orders.has(id) ? answer(orders.get(id)) : unknown(id));

  const routes = [
    ["GET", /^desk$/, () =>
      ok({
        desk_time: new Date(now).toISOString(),
        wall_time: new Date(now).toISOString(),
        speed: 1,
        market: { kind: "generated", seed, label: "four invented books" },
        services: ["strategy", "algorithm", "monitoring", "quality"].map((name) => ({ name, status: "ok", detail: null })),
        feed: { last_event_age_ms: 40 },
        version: "0.1.0",
      })],
    ["GET", /^instruments$/, () => page(INSTRUMENTS)],
    ["GET", /^venues$/, () => page(VENUES)],
    ["GET", /^market\/([^/]+)\/quote$/, ([id]) => ok(tapes.get(id).quote(new Date(now).toISOString()))],
    ["GET", /^market\/([^/]+)\/bars$/, ([id], _body, query) => page(tapes.get(id).bars(Date.parse(query.get("start")), Date.parse(query.get("end")), Number(query.get("bar_seconds"))))],
    ["GET", /^execution-strategy\/market-conditions\/([^/]+)$/, ([id]) => ok(tapes.get(id).conditions(new Date(now).toISOString()))],
    ["GET", /^execution-strategy\/selections$/, (_ids, _body, query) => page((orders.get(query.get("order_id"))?.selections() ?? []))],
    ["POST", /^execution-strategy\/recommend$/, (_ids, body) => {
      // What the browser cannot know: the account's own limit.
      if (body.quantity > 1_000_000) {
        return refuse(422, "invalid_order", "quantity 2000000 is above the desk's limit", [
          { field: "quantity", value: String(body.quantity), expected: "at most 1000000", detail: "above the desk's limit of 1,000,000 shares an order" },
        ]);
      }
      selections += 1;
      return ok(recommendation(body, selections, now));
    }],
    ["POST", /^execution-strategy\/([^/]+)\/adapt$/, ([id]) => withOrder(id, (order) => ok(recommendation({ ...order.row, constraints: {} }, ++selections, now)))],
    ["POST", /^orders$/, (_ids, body) => (orders.has(body.order_id) ? refuse(409, "conflict", "that id is taken") : ok(add(body).row, 201))],
    ["GET", /^orders$/, () => page([...orders.values()].map(({ row }) => row))],
    ["GET", /^orders\/([^/]+)$/, ([id]) => withOrder(id, ({ row }) => ok(row))],
    ["POST", /^orders\/([^/]+)\/modify$/, ([id], body) => withOrder(id, (order) => {
      if (body.quantity !== undefined) order.row.quantity = body.quantity;
      if (body.price !== undefined) order.row.price = body.price;
      publish(id, "orders", "order_amended", { order_id: id, quantity: body.quantity ?? null, price: body.price ?? null, actor: "local" });
      return ok(order.row);
    })],
    ["PUT", /^orders\/([^/]+)\/cancel$/, ([id]) => withOrder(id, (order) => {
      if (!order.isDone) order.row.state = "CANCELLING";
      publish(id, "algorithm", "algorithm_execution", order.working(now));
      return ok(order.row);
    })],
    ["GET", /^execution\/([^/]+)\/status$/, ([id]) => withOrder(id, (order) => {
      const { end_time, start_time, execution_style } = order.plan();
      return ok({ ...order.working(now), start_time, end_time, execution_style, updated_time: new Date(now).toISOString() });
    })],
    ["GET", /^execution\/([^/]+)\/plan$/, ([id]) => withOrder(id, (order) => ok(order.plan()))],
    ["GET", /^execution\/([^/]+)\/children$/, ([id]) => withOrder(id, (order) => page(order.children))],
    ["GET", /^execution\/([^/]+)\/fills$/, ([id]) => withOrder(id, (order) => page(order.fills))],
    ["POST", /^execution\/([^/]+)\/(pause|resume)$/, ([id, what]) => withOrder(id, (order) => {
      if (order.row.state !== (what === "pause" ? "WORKING" : "PAUSED")) {
        return refuse(409, "conflict", `a parent order that is ${order.row.state} cannot ${what}`, [{ field: "state", value: order.row.state, expected: null, detail: "" }]);
      }
      order.row.state = what === "pause" ? "PAUSED" : "WORKING";
      publish(id, "algorithm", "algorithm_execution", order.working(now));
      return ok({ order_id: id, state: order.row.state });
    })],
    ["POST", /^execution\/(kill|rearm)$/, () => {
      for (const order of orders.values()) if (!order.isDone) order.row.state = "CANCELLING";
      return ok({ armed: false });
    }],
    ["GET", /^monitoring\/orders$/, () => page([...orders.values()].map((order) => ({ order_id: order.row.order_id, state: order.row.state, update: order.monitoring(now), performance_score: null })))],
    ["GET", /^monitoring\/alerts$/, () => page([...alerts.values()])],
    ["POST", /^monitoring\/alerts\/([^/]+)\/acknowledge$/, ([id]) => {
      const alert = { ...alerts.get(id), state: "ACKNOWLEDGED", acknowledged_by: "local" };
      alerts.set(id, alert);
      return ok(alert);
    }],
    ["GET", /^monitoring\/([^/]+)\/analytics$/, ([id]) => withOrder(id, (order) =>
      ok({ order_id: id, execution_summary: null, cost_analysis: order.isDone ? order.costs(now) : null, performance_attribution: null, benchmark_comparison: [] }))],
    ["GET", /^monitoring\/([^/]+)\/timeline$/, ([id], _body, query) => page(log.map((message, index) => ({ position: index + 1, ...message }))
      .filter(({ position, order_id, event_type }) => position > Number(query.get("after_position")) && order_id === id && event_type !== "execution_monitoring"))],
    ["GET", /^execution-quality\/results$/, () => page([...orders.values()].filter((order) => order.isDone).map((order) => order.graded()))],
    ["GET", /^execution-quality\/results\/([^/]+)$/, ([id]) => withOrder(id, (order) => (order.isDone ? ok(order.quality()) : refuse(404, "not_found", "not graded yet")))],
  ];

  const answer = (method, path, body, query) => {
    for (const [verb, pattern, handle] of routes) {
      const match = verb === method ? path.match(pattern) : null;
      if (match !== null) return handle(match.slice(1).map(decodeURIComponent), body, query);
    }
    return refuse(404, "not_found", `no ${method} ${path}`);
  };

  const server = createServer(async (request, response) => {
    const url = new URL(request.url, "http://localhost");
    if (url.pathname.startsWith("/api/v1/")) {
      let text = "";
      for await (const chunk of request) text += chunk;
      const { status, body } = answer(request.method, url.pathname.slice(8), text === "" ? undefined : JSON.parse(text), url.searchParams);
      response.writeHead(status, { "Content-Type": status < 400 ? "application/json" : "application/problem+json" });
      response.end(JSON.stringify(body));
      return;
    }
    const file = join(STATIC, normalize(url.pathname === "/" ? "/index.html" : url.pathname));
    try {
      const content = await readFile(file);
      response.writeHead(200, { "Content-Type": TYPES[extname(file)] ?? "application/octet-stream" });
      response.end(content);
    } catch {
      response.writeHead(404).end();
    }
  });

  const streams = new WebSocketServer({ server });
  streams.on("connection", (socket, request) => {
    const url = new URL(request.url, "http://localhost");
    const one = url.pathname.match(/\/monitoring\/([^/]+)\/stream$/);
    const order = one === null ? null : decodeURIComponent(one[1]);
    const take =
      order === null
        ? (message, position) => socket.send(JSON.stringify({ position, message }))
        : (message) => {
            if (message.order_id === order && message.source_service === "monitoring") socket.send(JSON.stringify(message));
          };
    const after = Number(url.searchParams.get(order === null ? "after_position" : "after_sequence") ?? (order === null ? log.length : 0));
    log.forEach((message, index) => {
      if (order === null ? index + 1 > after : message.sequence > after) take(message, index + 1);
    });
    const listener = { take };
    sockets.add(listener);
    socket.on("close", () => sockets.delete(listener));
  });

  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    address: `http://127.0.0.1:${server.address().port}`,
    /** Raises an alert on an order, as the monitor would. */
    alert(order_id, fields = {}) {
      const alert = { alert_id: `A-${alerts.size + 1}`, order_id, alert_type: "SLOW_EXECUTION", severity: "HIGH", state: "FIRING", recommendation: "12 % behind schedule: raise the participation limit to 15 %, or give it 9 minutes more.", value: 0.12, threshold: 0.1, raised_time: new Date(now).toISOString(), updated_time: new Date(now).toISOString(), acknowledged_by: null, ...fields };
      alerts.set(alert.alert_id, alert);
      publish(order_id, "monitoring", "execution_alert_generated", { ...alert, current_progress: 0.3, expected_progress: 0.42, metrics: {} });
    },
    /** Cuts every stream, as a lost network would. */
    cut: () => {
      for (const socket of streams.clients) socket.terminate();
    },
    close: async () => {
      clearInterval(clock);
      for (const socket of streams.clients) socket.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const { address } = await startMock({ port: Number(process.argv[2] ?? 8081), orders: Number(process.argv[3] ?? 30) });
  console.log(`mock desk at ${address}`);
}
