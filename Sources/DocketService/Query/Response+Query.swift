import DocketStore
import DocketWire
import NIOCore

extension QueryRequest {
  /// What an error of the store is to the one who asks this.
  func response(to error: StoreError) -> Response {
    if case .scanRefused(let scanned) = error { return .scanRefused(scanned: scanned, index: helpfulIndex) }
    return error.response
  }
}

extension Response {
  /// - Parameter index: the fields of one that would help; empty where none would.
  static func scanRefused(scanned: Int, index: [String]) -> Response {
    var data = ByteBuffer()
    data.writeError(
      "scan_refused",
      "The query looks at more than \(scanned) documents without an index, which this server refuses (--refuse-scans). \(index.advice)"
    )
    if !index.isEmpty { data.writeIndex(index) }
    data.writeStaticString("}")
    return Response(.badRequest, data: data)
  }
}

extension GroupTable.Refusal {
  var response: Response {
    let detail =
      switch self {
      case .tooManyGroups: "There are more than \(Aggregation.maximumGroups) groups"
      case .tooLarge(let limit): "The values of the groups have more than \(limit) bytes (--page-bytes)"
      }
    return .error(
      .badRequest, "too_many_groups", "\(detail); narrow them down with 'where', or group by another field.")
  }
}

extension ByteBuffer {
  mutating func writeExplanation(_ report: QueryReport, of request: QueryRequest) {
    writeStaticString(", \"explain\": {\"index\": ")
    if let index = report.index { writeNames(index) } else { writeStaticString("null") }
    writeStaticString(", \"sorted\": ")
    switch request.answer {
    case .page(let page) where page.limit > 0 && !(page.sort.isEmpty && report.isOrdered):
      writeStaticString(report.isOrdered ? "\"index\"" : "\"memory\"")
    case .page, .groups: writeStaticString("null")
    }
    writeStaticString(", \"scanned\": ")
    writeDecimal(report.scanned)
    writeStaticString("}")
  }

  mutating func writeWarning(_ report: QueryReport, index: [String]) {
    writeStaticString(", \"warning\": {\"scanned\": ")
    writeDecimal(report.unindexed)
    writeStaticString(", \"detail\": ")
    writeJSONString("The query looked at \(report.unindexed) documents without an index. \(index.advice)")
    if !index.isEmpty { writeIndex(index) }
    writeStaticString("}")
  }

  fileprivate mutating func writeIndex(_ names: [String]) {
    writeStaticString(", \"index\": ")
    writeNames(names)
  }

  private mutating func writeNames(_ names: [String]) {
    writeStaticString("[")
    for (index, name) in names.enumerated() {
      if index > 0 { writeStaticString(", ") }
      writeJSONString(name)
    }
    writeStaticString("]")
  }
}

extension [String] {
  /// What there is to do, where these are the fields of an index that would help.
  fileprivate var advice: String {
    isEmpty
      ? "No index would help; ask for less, with conditions of equality or bounds on fields of one collection."
      : "An index of \(joined(separator: ", ")) would help."
  }
}
