/** Draws what a terminal shows as an SVG. Made from text with the colours of `util.styleText`; knows no other escapes. */

const colors: Readonly<Record<string, string>> = {
  '31': '#e5534b',
  '32': '#57ab5a',
  '33': '#c69026',
  '35': '#b083f0',
  '36': '#39c5cf',
};

const columnPx = 8.4;
const linePx = 19;
const marginPx = 16;

interface Style {
  readonly fill: string | null;
  readonly isBold: boolean;
  readonly isDim: boolean;
}

const plain: Style = { fill: null, isBold: false, isDim: false };

/** Draws lines of text below a title bar. */
export function terminalSvg(title: string, text: string): string {
  const lines = text.trimEnd().split('\n');
  // oxlint-disable-next-line no-control-regex -- colours are control sequences
  const widest = Math.max(...lines.map((line) => line.replaceAll(/\u001b\[\d+m/g, '').length), title.length);
  const width = Math.ceil(widest * columnPx + 2 * marginPx);
  const height = (lines.length + 2) * linePx + marginPx;
  let style = plain;
  const body = lines.map((line, index) => {
    const spans: string[] = [];
    // oxlint-disable-next-line no-control-regex -- colours are control sequences
    for (const part of line.split(/(\u001b\[\d+m)/)) {
      // oxlint-disable-next-line no-control-regex -- colours are control sequences
      const code = /^\u001b\[(\d+)m$/.exec(part)?.[1];
      if (code !== undefined) style = next(style, code);
      else if (part !== '') spans.push(`<tspan${attributes(style)}>${escape(part)}</tspan>`);
    }
    return `<text x="${marginPx}" y="${(index + 2.6) * linePx}" xml:space="preserve">${spans.join('')}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14" fill="#d1d7e0">
<rect width="${width}" height="${height}" rx="8" fill="#1c2128"/>
<text x="${marginPx}" y="${1.2 * linePx}" fill="#768390">${escape(title)}</text>
${body.join('\n')}
</svg>
`;
}

function next(style: Style, code: string): Style {
  if (code === '0') return plain;
  if (code === '1') return { ...style, isBold: true };
  if (code === '2') return { ...style, isDim: true };
  if (code === '22') return { ...style, isBold: false, isDim: false };
  return { ...style, fill: colors[code] ?? null };
}

function attributes({ fill, isBold, isDim }: Style): string {
  const color = fill === null ? '' : ` fill="${fill}"`;
  return `${color}${isBold ? ' font-weight="bold"' : ''}${isDim ? ' opacity="0.6"' : ''}`;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
