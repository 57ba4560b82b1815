#!/usr/bin/env node
// Follows Ringside's events in Redis and prints each trade; needs nothing but Node itself.
//
// The stream PREFIX:events has an entry a batch of events, under the number of the batch's last event. Its field p is
// MessagePack: [version, number of the first event, [[kind, time_ns, ...], ...]]; docs/stores.md says what follows in
// each kind. Whoever has read up to event N goes on with `XREAD STREAMS PREFIX:events N-0`, after a break too: keep N
// with what you do with the events, and nothing is missed and nothing seen twice.
//
// usage: follow_trades.js [--redis HOST:PORT|PATH] [--prefix ringside] [--after EVENT] [--count TRADES]
"use strict";
const net = require("net");

const VERSION = 1;
const EXECUTED = 5;
const [MATCH, SYMBOL, PRICE, QUANTITY, ORDER, SIDE, MAKER] = [2, 4, 5, 6, 7, 10, 13]; // places in an EXECUTED event

// One reply of Redis at `at`: [value, place behind it], or null while some of it has not come yet.
function reply(data, at) {
  const end = data.indexOf("\r\n", at);
  if (end < 0) return null;
  const rest = data.toString("latin1", at + 1, end);
  const count = Number(rest);
  switch (String.fromCharCode(data[at])) {
    case "-":
      throw new Error(rest);
    case "$": {
      if (count < 0) return [null, end + 2];
      const last = end + 2 + count;
      return data.length < last + 2 ? null : [data.subarray(end + 2, last), last + 2];
    }
    case "*": {
      if (count < 0) return [null, end + 2];
      const values = [];
      let next = end + 2;
      while (values.length < count) {
        const one = reply(data, next);
        if (one === null) return null;
        values.push(one[0]);
        next = one[1];
      }
      return [values, next];
    }
    default:
      return [rest, end + 2];
  }
}

// One MessagePack value of those that Ringside writes. Numbers beyond 2^53, such as times in ns, are BigInt.
function unpack(data, place = { at: 0 }) {
  const head = data[place.at++];
  const take = (bytes) => (place.at += bytes) - bytes;
  const small = (big) => (big <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(big) : big);
  const list = (count) => Array.from({ length: count }, () => unpack(data, place));
  if (head <= 0x7f) return head;
  if (head >= 0xe0) return head - 256;
  if (head >= 0x90 && head <= 0x9f) return list(head & 15);
  if (head >= 0xa0 && head <= 0xbf) {
    const from = take(head & 31);
    return data.toString("latin1", from, place.at);
  }
  switch (head) {
    case 0xc0: return null;
    case 0xcc: return data.readUInt8(take(1));
    case 0xcd: return data.readUInt16BE(take(2));
    case 0xce: return data.readUInt32BE(take(4));
    case 0xcf: return small(data.readBigUInt64BE(take(8)));
    case 0xd2: return data.readInt32BE(take(4));
    case 0xdc: return list(data.readUInt16BE(take(2)));
    case 0xdd: return list(data.readUInt32BE(take(4)));
    default: throw new Error(`no MessagePack type 0x${head.toString(16)} is expected here`);
  }
}

function print(number, event) {
  const price = `${Math.floor(event[PRICE] / 10000)}.${String(event[PRICE] % 10000).padStart(4, "0")}`;
  console.log(`${number} ${event[SYMBOL]} ${event[QUANTITY]} @ ${price} match ${event[MATCH]}` +
    ` taker ${event[ORDER]} ${event[SIDE]} maker ${event[MAKER]}`);
}

const options = { redis: "127.0.0.1:6379", prefix: "ringside", after: "$", count: "0" };
for (let i = 2; i < process.argv.length; i += 2) {
  const name = process.argv[i].replace(/^--/, "");
  if (!(name in options) || i + 1 === process.argv.length) {
    console.error("usage: follow_trades.js [--redis HOST:PORT|PATH] [--prefix ringside] [--after EVENT] [--count TRADES]");
    process.exit(64);
  }
  options[name] = process.argv[i + 1];
}

const key = `${options.prefix}:events`;
let after = options.after === "$" ? "$" : `${options.after}-0`;
let printed = 0;
let pending = Buffer.alloc(0);
const colon = options.redis.lastIndexOf(":");
const socket = net.connect(options.redis.startsWith("/")
  ? { path: options.redis } : { host: options.redis.slice(0, colon), port: Number(options.redis.slice(colon + 1)) });

function ask() {
  const words = ["XREAD", "COUNT", "100", "BLOCK", "1000", "STREAMS", key, after];
  socket.write(`*${words.length}\r\n` + words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join(""));
}

function take(streams) {
  for (const [, entries] of streams ?? []) {
    for (const [id, fields] of entries) {
      after = id.toString();
      const payload = fields[fields.findIndex((field, i) => i % 2 === 0 && field.toString() === "p") + 1];
      const [version, first, events] = unpack(payload);
      if (version !== VERSION) throw new Error(`payloads of version ${version}; this program knows ${VERSION}`);
      for (const [i, event] of events.entries()) {
        if (event[0] !== EXECUTED) continue;
        print(first + i, event);
        if (++printed === Number(options.count)) return false;
      }
    }
  }
  return true;
}

function fail(error) {
  console.error(`follow_trades: ${error.message}`);
  process.exitCode = 1;
  socket.destroy();
}

socket.on("connect", ask);
socket.on("error", fail);
socket.on("data", (data) => {
  try {
    pending = Buffer.concat([pending, data]);
    const one = reply(pending, 0);
    if (one === null) return;
    pending = pending.subarray(one[1]);
    if (take(one[0])) ask();
    else socket.end();
  } catch (error) {
    fail(error);
  }
});
