import DocketJSON
import NIOCore

@testable import DocketWire

/// A frame says what its JSON says: read at a glance, read whole, and written again.
final class RequestTarget: FuzzTarget {
  private let isPlanted: Bool

  init(isPlanted: Bool) { self.isPlanted = isPlanted }

  func run(_ bytes: UnsafeRawBufferPointer) {
    let frame = ByteBuffer(bytes: bytes)
    let found = Self.parse(frame)
    // What is read at a glance begins with its brace.
    var spaced = ByteBuffer(string: " ")
    spaced.writeImmutableBuffer(frame)
    let whole = Self.parse(spaced)
    guard Self.isSame(found, whole) else {
      broken("white space in front makes another request", "\(shown(bytes))\n\(found)\n\(whole)")
    }
    let tree = Self.tree(bytes)
    switch found {
    case .success(let request):
      guard let tree else { broken("what is no JSON is a request", shown(bytes)) }
      check(request, tree, bytes)
      checkGlance(frame, request)
      checkWritten(request)
    case .failure(let error):
      switch error.reason {
      case .json: if tree != nil { broken("JSON is refused as none", shown(bytes)) }
      case .notAnObject:
        guard let tree else { broken("what is no JSON is told to be no object", shown(bytes)) }
        if tree.members != nil { broken("an object is told to be none", shown(bytes)) }
      default: if tree?.members == nil { broken("what is no object has members", shown(bytes)) }
      }
    }
    // It takes what no server would write, and must bear it.
    _ = try? Answer.parse(frame)
  }

  private static func parse(_ frame: ByteBuffer) -> Result<Request, RequestError> {
    Result { () throws(RequestError) in try Request.parse(frame) }
  }

  /// Where something is wrong its place differs by the space.
  private static func isSame(_ a: Result<Request, RequestError>, _ b: Result<Request, RequestError>) -> Bool {
    switch (a, b) {
    case (.success(let a), .success(let b)): a == b
    case (.failure(let a), .failure(let b)):
      switch (a.reason, b.reason) {
      case (.json(let first), .json(let second)):
        "\(first.reason)" == "\(second.reason)" && first.offset + 1 == second.offset
      default: a == b
      }
    default: false
    }
  }

  /// The envelope does not count: each of its values may use the whole depth.
  private static func tree(_ bytes: UnsafeRawBufferPointer) -> ReferenceJSON? {
    guard let tree = ReferenceJSON(bytes, depth: JSONLimits.maximumDepth + 1) else { return nil }
    if case .object = tree { return tree }
    return tree.depth <= JSONLimits.maximumDepth ? tree : nil
  }

  private func check(_ request: Request, _ tree: ReferenceJSON, _ bytes: UnsafeRawBufferPointer) {
    func text(_ name: String) -> [UInt8]? {
      guard case .string(let units)? = tree.member(name) else { return nil }
      return String(validating: units, as: UTF16.self).map { Array($0.utf8) }
    }
    var path = text("path")
    if isPlanted, path?.contains(UInt8(ascii: "z")) == true { path = nil }
    guard path == Array(request.path.readableBytesView) else { broken("the path is another", shown(bytes)) }
    guard let method = text("method"), method.withUnsafeBytes({ Method($0) }) == request.method else {
      broken("the method is another", shown(bytes))
    }
    let data = request.data.flatMap { ReferenceJSON($0.readableBytesView) }
    switch (data, tree.member("data")) {
    case (nil, nil): break
    case (let data?, let expected?):
      if data.isSame(as: expected) == false { broken("the data is another", shown(bytes)) }
    default: broken("there is data, or none", shown(bytes))
    }
    guard (request.id == nil) == (tree.member("id") == nil), (request.headers == nil) == (tree.member("headers") == nil)
    else { broken("there is an id or there are headers, or none", shown(bytes)) }
  }

  private func checkGlance(_ frame: ByteBuffer, _ request: Request) {
    guard let envelope = try? Envelope(of: frame, depth: JSONLimits.maximumDepth) else { broken("an envelope is none") }
    if let place = envelope.plainlyReadPath {
      guard request.method == .get, request.data == nil, request.id == nil, request.headers == nil,
        frame.readableBytesView.dropFirst(place.lowerBound).prefix(place.count)
          .elementsEqual(request.path.readableBytesView)
      else { broken("what is read at a glance is another request", "\(request)") }
    }
    let headers = Envelope.headers(inBeginning: frame, depth: JSONLimits.maximumDepth)
    guard headers == request.headers else { broken("the headers at the beginning are others", "\(request)") }
  }

  private func checkWritten(_ request: Request) {
    var written = ByteBuffer()
    written.writeRequest(request)
    guard written.readableBytesView.last == 0, written.readableBytesView.dropLast().allSatisfy({ $0 != 0 }) else {
      broken("a frame does not end where it ends", "\(request)")
    }
    let again = Self.parse(ByteBuffer(bytes: written.readableBytesView.dropLast()))
    guard case .success(let parsed) = again, parsed == request else {
      broken("what is written is read as another", "\(request)\n\(again)")
    }
  }
}
