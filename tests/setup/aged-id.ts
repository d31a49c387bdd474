/** Returns the SQL of an id with the random part of a column's UUIDv7 and a time so many seconds ago: the time of such a row is that of its id. */
export function agedId(column: string, seconds: number): string {
  const time = `lpad(to_hex(((extract(epoch FROM now()) - ${seconds}) * 1000)::bigint), 12, '0')`;
  return `(substr(${time}, 1, 8) || '-' || substr(${time}, 9) || substr(${column}::text, 14))::uuid`;
}
