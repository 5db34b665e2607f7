"""The plot, as SVG."""
from __future__ import annotations

from growth import Growth

WIDTH, HEIGHT, LEFT, RIGHT, BOTTOM, TOP = 640, 320, 70, 90, 40, 20
LINES = (("get", "GET", "#1f77b4"), ("put", "durable PUT", "#d62728"))


def plot(growth: Growth) -> str:
    """Requests a second over the number of documents, which are a step apart each."""
    highest = 1.1 * max(growth.rate(workload, count) for workload, _, _ in LINES for count in growth.documents)

    def x(index: int) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * index / max(len(growth.documents) - 1, 1)

    def y(rate: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * rate / highest

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
             f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>']
    for step in range(5):
        rate = highest * step / 4
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(rate):.0f}" y2="{y(rate):.0f}" stroke="#ddd"/>'
                     f'<text x="{LEFT - 6}" y="{y(rate) + 4:.0f}" text-anchor="end">{rate:,.0f}</text>')
    for index, count in enumerate(growth.documents):
        parts.append(f'<text x="{x(index):.0f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{count:,}</text>')
    for workload, label, colour in LINES:
        places = [(x(index), y(growth.rate(workload, count))) for index, count in enumerate(growth.documents)]
        line = " ".join(f"{a:.1f},{b:.1f}" for a, b in places)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{colour}"/>' for a, b in places]
        parts.append(f'<text x="{places[-1][0] + 8:.0f}" y="{places[-1][1] + 4:.0f}" fill="{colour}">{label}</text>')
    parts.append(f'<text x="{LEFT}" y="14">requests/s, 64 connections</text></svg>')
    return "\n".join(parts) + "\n"
