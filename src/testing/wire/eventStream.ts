const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value >>> 0;
});

/** CRC-32 as of IEEE 802.3, the one of gzip and of the AWS event stream. */
export function crc32(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of bytes) value = (TABLE[(value ^ byte) & 0xff] ?? 0) ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}

/** Type of a header whose value is text. */
const STRING = 7;
const utf8 = new TextEncoder();

/**
 * Encodes one message of `application/vnd.amazon.eventstream` (AWS "Event stream encoding"): total length, header length,
 * checksum of the two, headers, payload, checksum of everything before it.
 *
 * @param headers - Names and texts, in order.
 * @param payload - The JSON text.
 */
export function eventStreamMessage(headers: Readonly<Record<string, string>>, payload: string): Uint8Array {
  const encoded = Object.entries(headers).map(([name, value]) => [utf8.encode(name), utf8.encode(value)] as const);
  const headerLength = encoded.reduce((size, [name, value]) => size + 1 + name.length + 3 + value.length, 0);
  const body = utf8.encode(payload);
  const message = new Uint8Array(12 + headerLength + body.length + 4);
  const view = new DataView(message.buffer);
  view.setUint32(0, message.length);
  view.setUint32(4, headerLength);
  view.setUint32(8, crc32(message.subarray(0, 8)));
  let at = 12;
  for (const [name, value] of encoded) {
    message[at] = name.length;
    message.set(name, at + 1);
    at += 1 + name.length;
    message[at] = STRING;
    view.setUint16(at + 1, value.length);
    message.set(value, at + 3);
    at += 3 + value.length;
  }
  message.set(body, at);
  view.setUint32(message.length - 4, crc32(message.subarray(0, -4)));
  return message;
}
