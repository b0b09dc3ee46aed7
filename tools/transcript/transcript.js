'use strict';
// What the Node originals print with: the same lines, and the same JSON, as the Rust labs (see src/lib.rs beside this file).
// One fs.writeSync a line, on the descriptor that all processes of a lab share.

const fs = require('node:fs');
const tty = require('node:tty');

// A child that was given a seat in its parent's transcript finds it in this variable.
const SEAT = 'FORKLORE_TRANSCRIPT';
const LINE_LIMIT = 4096;

const card = process.env[SEAT] ? JSON.parse(process.env[SEAT]) : null;
const fd = card ? Number(process.env[`${SEAT}_FD`]) : 1;
const json = card ? card.json : process.argv.includes('--json');
// Not process.stdout.isTTY: to ask for process.stdout makes a piped stdout non-blocking, for everyone who shares it.
const coloured = card ? card.look.coloured : !json && tty.isatty(1) && !process.env.NO_COLOR;
let width = card ? card.look.width : 0;
let steps = 0;
let facts = 0;

const PALETTE = [34, 32, 35, 33, 36, 31];

function colourOf(voice) {
  if (voice === 'parent' || voice === 'primary') return PALETTE[0];
  if (['copy', 'execFile', 'node', 'second', 'shell'].includes(voice)) return PALETTE[2];
  if (voice === 'python') return PALETTE[3];
  const number = Number.parseInt(/(?:^| )(\d+)$/.exec(voice)?.[1] ?? '1', 10);
  return PALETTE[1 + ((Math.max(number, 1) - 1) % (PALETTE.length - 1))];
}

const paint = (text, code) => (coloured ? `\x1b[${code}m${text}\x1b[0m` : text);
const name = (voice) => paint(voice, colourOf(voice)) + ' '.repeat(Math.max(0, width - [...voice].length));

function write(line) {
  let bytes = Buffer.from(line);
  if (bytes.length > LINE_LIMIT) {
    let end = LINE_LIMIT - Buffer.byteLength('…\n');
    while ((bytes[end] & 0xc0) === 0x80) end -= 1;
    bytes = Buffer.concat([bytes.subarray(0, end), Buffer.from('…\n')]);
  }
  try {
    for (let done = 0; done < bytes.length; ) {
      try {
        done += fs.writeSync(fd, bytes, done);
      } catch (error) {
        if (error.code !== 'EAGAIN') throw error;
      }
    }
  } catch (error) {
    if (error.code === 'EPIPE') process.exit(128 + 13);
    throw error;
  }
}

// Where in the lab's source a line is printed, from the lab's directory: the innermost frame that is there.
function source() {
  const places = new Error().stack.split('\n').map((frame) => /\/labs\/[^/]+\/(.+:\d+):\d+\)?$/.exec(frame)?.[1]);
  return places.find(Boolean);
}

function put(record, text) {
  const us = Number(process.hrtime.bigint() / 1000n);
  write(json ? `${JSON.stringify({ us, pid: process.pid, ...record, source: source() })}\n` : text);
}

class Voice {
  constructor(voice) {
    this.voice = voice;
  }

  say(text) {
    const lines = String(text).split(/\r?\n/);
    if (lines.at(-1) === '') lines.pop();
    for (const line of lines) {
      put({ voice: this.voice, text: line }, `   ${name(this.voice)}  ${line}\n`);
    }
  }

  arrow(kind, to, text) {
    const shaft = paint(`──${kind}──▶`, 2);
    put(
      { arrow: kind, from: this.voice, to, text: String(text) },
      `   ${name(this.voice)}  ${shaft} ${paint(to, colourOf(to))}  ${text}\n`,
    );
  }
}

// The voices of a lab, by name; the first call says how wide their column is.
function voices(...names) {
  if (!card) width = Math.max(...names.map((voice) => [...voice].length));
  return names.map((voice) => new Voice(voice));
}

function step(title) {
  steps += 1;
  put({ step: steps, title }, `${steps === 1 ? '' : '\n'}${paint(`${steps}. ${title}`, 1)}\n`);
}

function fact(fact, value) {
  facts += 1;
  if (facts === 1 && !json) write(`\n${paint('Facts', 1)}\n`);
  put({ fact, value: String(value) }, `   ${fact}: ${paint(value, 1)}\n`);
}

// What a child needs to speak: put `stdio[fd] = 1` in its options and this in its environment.
function seat(voice, childFd) {
  const seatCard = JSON.stringify({ voice, json, look: { coloured, width } });
  return { [SEAT]: seatCard, [`${SEAT}_FD`]: String(childFd) };
}

// The voice of a child that was given a seat.
const own = card ? new Voice(card.voice) : null;

const yes = (condition) => (condition ? 'yes' : 'no');

module.exports = { voices, step, fact, seat, own, yes };
