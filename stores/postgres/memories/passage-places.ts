/** The positions of a memory's passages as stored in `item_passages`. */
export function passagesText(places: readonly number[]): string {
  return places.join(' ');
}

/** The places that such a text names. */
export function passagePlaces(text: string): number[] {
  return text.split(' ').map(Number);
}
