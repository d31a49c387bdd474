/** The places of a memory's passages as the one text in which a record holds them. */
export function passagesText(places: readonly number[]): string {
  return places.join(' ');
}

/** The places that such a text names. */
export function passagePlaces(text: string): number[] {
  return text.split(' ').map(Number);
}
