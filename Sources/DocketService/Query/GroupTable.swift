import DocketStore
import NIOCore

/// The groups of an aggregation as they grow.
struct GroupTable: Sendable {
  /// Why there is no answer.
  enum Refusal: Sendable {
    case tooManyGroups
    /// The values that are to be shown have more bytes than this.
    case tooLarge(limit: Int)
  }

  private struct Group: Sendable {
    let key: GroupKey
    /// JSON text, of those that the value has the least as bytes; nil where the documents have no such value.
    var text: ByteBuffer?
    var cells: [Accumulator]

    /// Arrays and objects, of which none is before another, by their text: the order is to be the same each time.
    static func isBefore(_ a: Self, _ b: Self) -> Bool {
      if case .composite = a.key.value, case .composite = b.key.value, let first = a.text, let second = b.text {
        return first.precedes(second)
      }
      return a.key.value.order(to: b.key.value) < 0
    }
  }

  private let aggregation: Aggregation
  private let limitBytes: Int
  private var groups: [Group] = []
  private var places: [GroupKey: Int] = [:]
  /// Of the values that are to be shown.
  private var bytes = 0
  private(set) var refusal: Refusal?

  init(_ aggregation: Aggregation, limitBytes: Int) {
    self.aggregation = aggregation
    self.limitBytes = limitBytes
    if aggregation.groupBy == nil { _ = add(GroupKey(value: .missing), nil) }
  }

  mutating func add(_ document: DocumentView) -> ScanStep {
    let key = GroupKey(value: aggregation.groupBy?.value(in: document) ?? .missing)
    let text = aggregation.groupBy?.text(in: document)
    let place = places[key] ?? add(key, text)
    keep(text, at: place)
    guard refusal == nil else { return .stop }
    for index in groups[place].cells.indices { bytes += groups[place].cells[index].add(document) }
    if bytes > limitBytes { refusal = .tooLarge(limit: limitBytes) }
    return refusal == nil ? .next : .stop
  }

  private mutating func add(_ key: GroupKey, _ text: ByteBuffer?) -> Int {
    if groups.count == Aggregation.maximumGroups { refusal = .tooManyGroups }
    places[key] = groups.count
    bytes += text?.readableBytes ?? 0
    groups.append(Group(key: key, text: text, cells: aggregation.columns.map { Accumulator($0.function) }))
    return groups.count - 1
  }

  /// So that the text of a group does not tell in which order its documents came.
  private mutating func keep(_ text: ByteBuffer?, at place: Int) {
    guard let text, let kept = groups[place].text, text.precedes(kept) else { return }
    bytes += text.readableBytes - kept.readableBytes
    groups[place].text = text
  }

  /// `[{"group": …, "n": 3, …}, …]` in the order of the groups' values.
  func write(into output: inout ByteBuffer) {
    output.writeStaticString("[")
    for (index, group) in groups.sorted(by: Group.isBefore).enumerated() {
      output.writeStaticString(index > 0 ? ", {" : "{")
      if let text = group.text {
        output.writeStaticString("\"group\": ")
        output.writeImmutableBuffer(text)
      }
      for (number, (column, cell)) in zip(aggregation.columns, group.cells).enumerated() {
        if number > 0 || group.text != nil { output.writeStaticString(", ") }
        output.writeJSONString(column.name)
        output.writeStaticString(": ")
        cell.write(into: &output)
      }
      output.writeStaticString("}")
    }
    output.writeStaticString("]")
  }
}

/// The value that the documents of a group have in common.
private struct GroupKey: Hashable {
  let value: QueryValue

  static func == (a: Self, b: Self) -> Bool { a.value.rank == b.value.rank && a.value.isSame(as: b.value) }

  func hash(into hasher: inout Hasher) {
    hasher.combine(value.rank)
    switch value {
    case .string(let bytes): hasher.combine(bytes)
    // Equal decimals are one double, however they are written.
    case .number(let number): hasher.combine(number.double)
    // One value can be written in many ways.
    case .missing, .null, .false, .true, .composite: break
    }
  }
}

extension Field {
  /// What an answer shows of the field; nil where there is none.
  func text(in document: DocumentView) -> ByteBuffer? {
    var text = ByteBuffer()
    switch self {
    case .value(let path):
      return path.range(in: document.data).map {
        ByteBuffer(bytes: UnsafeRawBufferPointer(rebasing: document.data[$0]))
      }
    case .id: text.writeJSONString(document.path.id)
    case .created: text.writeJSONString(Timestamp(milliseconds: document.created).rfc3339)
    case .updated: text.writeJSONString(Timestamp(milliseconds: document.updated).rfc3339)
    case .revision: text.writeDecimal(document.revision)
    }
    return text
  }
}
