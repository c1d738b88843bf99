/** The slot of a Redis Cluster that a hash tag belongs to: CRC-16/XMODEM modulo 16,384 (Redis Cluster spec). */

const SLOTS = 16_384;
const POLYNOMIAL = 0x1021;

const table = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ POLYNOMIAL : crc << 1;
  return crc & 0xffff;
});

/** @param tag what stands between the braces of a key: ASCII, as all ids are */
export function slotOf(tag: string): number {
  let crc = 0;
  for (let at = 0; at < tag.length; at++) {
    crc = ((crc << 8) & 0xffff) ^ (table[(crc >> 8) ^ (tag.charCodeAt(at) & 0xff)] ?? 0);
  }
  return crc % SLOTS;
}
