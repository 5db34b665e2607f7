import DocketStore
import DocketWire
import NIOCore

/// How a path is read: `/seg/seg/…`, its segments percent-decoded UTF-8 (RFC 3986, section 2.1).
public enum PathGrammar {
  /// The longest path, in bytes once it is decoded.
  public static let maximumBytes = 1024

  /// - Parameter path: the path without its query string.
  public static func resource(named path: UnsafeRawBufferPointer) throws(PathError) -> Resource {
    if let original = originalRoute(path) { return original }
    guard path.first == slash, let last = path.last else { return .unknown }
    if path.count > 1 && path[1] == UInt8(ascii: "_") { return try reserved(path) }
    guard let end = path.lastIndex(of: slash), end > 0 else { return .unknown }
    // Percent-encoding triples a path at most.
    guard path.count <= 3 * maximumBytes else { throw .tooLong }
    let collection = UnsafeRawBufferPointer(rebasing: path[...end])
    let id = UnsafeRawBufferPointer(rebasing: path[(end + 1)...])
    try checkSegments(path, isCollection: last == slash)
    let collectionPath = CollectionPath(unchecked: try decode(collection))
    // An encoded underscore is one.
    if collection[1] == UInt8(ascii: "%"), collectionPath.description.utf8.starts(with: "/_".utf8) { return .reserved }
    if last == slash {
      guard collectionPath.description.utf8.count <= maximumBytes else { throw .tooLong }
      return .collection(collectionPath)
    }
    let document = DocumentPath(collection: collectionPath, id: try decode(id))
    guard document.collection.description.utf8.count + document.id.utf8.count <= maximumBytes else { throw .tooLong }
    return .document(document)
  }

  /// Whether a path stands for itself: it has no percent-encoding and no query string. So a document that has this text
  /// for its name is the one that the path names.
  static func isPlain(_ path: UnsafeRawBufferPointer) -> Bool {
    path.firstIndex(ofByte: UInt8(ascii: "%")) == nil && path.firstIndex(ofByte: UInt8(ascii: "?")) == nil
  }

  private static let slash = UInt8(ascii: "/")

  private static func originalRoute(_ path: UnsafeRawBufferPointer) -> Resource? {
    switch path.count {
    case 1 where path.isText("/"): .root
    case 5 where path.isText("/echo"): .echo
    case 5 where path.isText("/list"): .list
    case 5 where path.isText("/item"): .item
    default: nil
    }
  }

  private static func reserved(_ path: UnsafeRawBufferPointer) throws(PathError) -> Resource {
    if path.isText("/_health") { return .health }
    if path.isText("/_ready") { return .ready }
    if path.isText("/_stats") { return .stats }
    if path.isText("/_access") { return .access }
    if path.isText("/_batch") { return .batch }
    if path.isText("/_documents") { return .documents }
    if path.isText("/_changes") { return .changes }
    if path.isText("/_backups/") { return .backups }
    if path.starts(with: "/_backups/".utf8) {
      return .backup(try decode(UnsafeRawBufferPointer(rebasing: path["/_backups/".utf8.count...])))
    }
    if path.isText("/_tokens/") { return .tokens }
    if path.starts(with: "/_tokens/".utf8) {
      return .token(try decode(UnsafeRawBufferPointer(rebasing: path["/_tokens/".utf8.count...])))
    }
    if path.starts(with: "/_watches/".utf8) {
      // An id is any text, so that a slash is one of its characters.
      return .watch(try decode(UnsafeRawBufferPointer(rebasing: path["/_watches/".utf8.count...])))
    }
    if path.starts(with: "/_collections/".utf8) {
      let name = UnsafeRawBufferPointer(rebasing: path[("/_collections".utf8.count)...])
      if name.count == 1 { return .allSettings }
      if case .collection(let collection) = try resource(named: name) { return .settings(collection) }
    }
    return .reserved
  }

  /// Looks at each segment as it would be decoded, so that `%2e%2e` is no way around the rule for `..`.
  private static func checkSegments(_ path: UnsafeRawBufferPointer, isCollection: Bool) throws(PathError) {
    var segmentBytes = 0
    var dots = 0
    var index = 1
    while index <= path.count {
      if index == path.count || path[index] == slash {
        if index == path.count && isCollection { return }
        guard segmentBytes > 0 else { throw .emptySegment }
        guard dots != segmentBytes || dots > 2 else { throw .dotSegment }
        segmentBytes = 0
        dots = 0
        index += 1
        continue
      }
      let (byte, width) = try decodedByte(path, at: index)
      guard byte != slash else { throw .slashInSegment }
      guard byte >= 0x20 && byte != 0x7F else { throw .controlCharacter }
      segmentBytes += 1
      if byte == UInt8(ascii: ".") { dots += 1 }
      index += width
    }
  }

  private static func decode(_ text: UnsafeRawBufferPointer) throws(PathError) -> String {
    guard text.contains(UInt8(ascii: "%")) else {
      // The frame was checked to be UTF-8, and a slash cuts no character.
      return String(decoding: text, as: UTF8.self)
    }
    var bytes: [UInt8] = []
    var index = 0
    while index < text.count {
      let (byte, width) = try decodedByte(text, at: index)
      bytes.append(byte)
      index += width
    }
    guard let string = String(validating: bytes, as: UTF8.self) else { throw .invalidUTF8 }
    return string
  }

  /// A text as a path's segments are decoded; what is no percent-encoding stays as it is.
  static func decodedWherePossible(_ text: String) -> String {
    Array(text.utf8).withUnsafeBytes { text in
      var bytes: [UInt8] = []
      var index = 0
      while index < text.count {
        let (byte, width) = (try? decodedByte(text, at: index)) ?? (text[index], 1)
        bytes.append(byte)
        index += width
      }
      return String(decoding: bytes, as: UTF8.self)
    }
  }

  /// The byte that stands at `index` and how many bytes its writing takes.
  static func decodedByte(_ text: UnsafeRawBufferPointer, at index: Int) throws(PathError) -> (UInt8, width: Int) {
    guard text[index] == UInt8(ascii: "%") else { return (text[index], 1) }
    guard index + 2 < text.count, let high = text[index + 1].hexValue, let low = text[index + 2].hexValue else {
      throw .percentEncoding
    }
    return (high << 4 | low, 3)
  }
}

extension DocumentPath {
  /// The path as a request names it: what would be read as something else is percent-encoded.
  var requestPath: String { description.encodedForPath }
}

extension String {
  fileprivate var encodedForPath: String {
    guard utf8.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") }) else {
      return self
    }
    var encoded = ""
    for character in unicodeScalars {
      switch character {
      case "%": encoded += "%25"
      case "?": encoded += "%3F"
      case "#": encoded += "%23"
      default: encoded.unicodeScalars.append(character)
      }
    }
    return encoded
  }
}
