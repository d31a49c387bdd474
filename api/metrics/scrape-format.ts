/** Returns the weight that a header `accept` gives a media type, 0 to 1; 0 if it does not name it. */
function weightOf(type: string, accept: string): number {
  const weights = accept.split(',').flatMap((choice) => {
    const [name = '', ...parameters] = choice.split(';').map((part) => part.trim().toLowerCase());
    const given = parameters.find((parameter) => parameter.startsWith('q='));
    return name === type ? [given === undefined ? 1 : Number(given.slice(2))] : [];
  });
  return Math.max(0, ...weights.filter(Number.isFinite));
}

/** Returns true if a scraper names OpenMetrics, and does not prefer plain text. */
export function prefersOpenMetrics(accept = ''): boolean {
  const weight = weightOf('application/openmetrics-text', accept);
  return weight > 0 && weight >= weightOf('text/plain', accept);
}
