/// Prints what was measured, as Markdown.
enum Table {
  private static let widths = [60, 9, 9, 11]

  static func print(_ measurements: [Measurement]) {
    printRow(["part", "ns", "CPU ns", "allocations"])
    let lines = widths.map { String(repeating: "-", count: $0 - 1) }
    printRow([lines[0] + "-"] + lines.dropFirst().map { $0 + ":" })
    for measurement in measurements {
      printRow([
        measurement.part.name, digits(measurement.nanoseconds), digits(measurement.processorNanoseconds),
        measurement.allocations.map(digits) ?? "?",
      ])
    }
  }

  private static func printRow(_ texts: [String]) {
    let cells = zip(texts, widths).enumerated().map { column, cell in
      let padding = String(repeating: " ", count: max(cell.1 - cell.0.count, 0))
      return column == 0 ? cell.0 + padding : padding + cell.0
    }
    Swift.print("| " + cells.joined(separator: " | ") + " |")
  }

  /// Small numbers with one decimal, unless that is zero; others whole, a comma before each three digits.
  private static func digits(_ number: Double) -> String {
    let tenths = Int((number * 10).rounded())
    if tenths < 1_000 { return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)" }
    let digits = "\(Int(number.rounded()))"
    return digits.enumerated().map { index, digit in
      index > 0 && (digits.count - index) % 3 == 0 ? ",\(digit)" : "\(digit)"
    }.joined()
  }
}
