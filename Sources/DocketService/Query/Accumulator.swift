import DocketJSON
import DocketStore
import NIOCore

/// One value of an aggregation as it grows.
struct Accumulator: Sendable {
  private let function: Aggregation.Function
  private var count = 0
  /// Of numbers written as integers that fit 64 bits. So many of them that this overflows there are not.
  private var integers: Int128 = 0
  /// Of the other numbers; nil until there is one.
  private var others: ExactSum?
  private var extreme: (value: QueryValue, text: ByteBuffer)?

  init(_ function: Aggregation.Function) {
    self.function = function
  }

  /// - Returns: how many bytes more it holds.
  mutating func add(_ document: DocumentView) -> Int {
    switch function {
    case .count: count += 1
    case .sum(let field), .average(let field):
      if case .number(let number) = field.value(in: document) { add(number) }
    case .least(let field): return keep(field, of: document) { $0 < 0 }
    case .greatest(let field): return keep(field, of: document) { $0 > 0 }
    }
    return 0
  }

  private mutating func add(_ number: JSONDecimal) {
    count += 1
    if let integer = number.integer ?? Int64(String(decoding: number.token, as: UTF8.self)) {
      integers += Int128(integer)
    } else {
      if others == nil { others = ExactSum() }
      others?.add(number.double)
    }
  }

  /// Keeps a scalar that stands as wanted to the one that is kept; of equal ones the text that is least as bytes, so that
  /// it is the same in whatever order the documents come.
  private mutating func keep(_ field: Field, of document: DocumentView, if isWanted: (_ order: Int) -> Bool) -> Int {
    let value = field.value(in: document)
    switch value {
    case .missing, .composite: return 0
    case .null, .false, .true, .number, .string: break
    }
    let order = extreme.map { value.order(to: $0.value) }
    if let order, order != 0, !isWanted(order) { return 0 }
    guard let text = field.text(in: document) else { return 0 }
    if let extreme, order == 0, !text.precedes(extreme.text) { return 0 }
    let growth = text.readableBytes - (extreme?.text.readableBytes ?? 0)
    extreme = (value, text)
    return growth
  }

  /// Rounded once.
  private var sum: Double {
    guard var sum = others else { return Double(integers) }
    sum.add(integers)
    return sum.double
  }

  func write(into output: inout ByteBuffer) {
    switch function {
    case .count: output.writeDecimal(count)
    case .sum:
      if others == nil, let sum = Int64(exactly: integers) {
        output.writeDecimal(sum)
      } else {
        output.writeDouble(sum)
      }
    case .average:
      output.writeDouble(count > 0 ? sum / Double(count) : .nan)
    case .least, .greatest:
      if let extreme { output.writeImmutableBuffer(extreme.text) } else { output.writeStaticString("null") }
    }
  }
}

extension JSONDecimal {
  /// The nearest double, infinite beyond the largest.
  var double: Double { integer.map { Double($0) } ?? Double(String(decoding: token, as: UTF8.self)) ?? .nan }
}

extension ByteBuffer {
  /// Whether it is before the other one as bytes are.
  func precedes(_ other: ByteBuffer) -> Bool { readableBytesView.lexicographicallyPrecedes(other.readableBytesView) }

  /// JSON has no number for what is infinite or none.
  fileprivate mutating func writeDouble(_ number: Double) {
    writeString(number.isFinite ? number.description : "null")
  }
}
