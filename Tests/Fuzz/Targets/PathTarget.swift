import DocketStore
import DocketWire
import NIOCore

@testable import DocketService

/// A path that is taken has one reading, keeps the grammar, and written again it names the same.
///
/// A path with its query string; what is no UTF-8 is put right, since no frame holds such.
final class PathTarget: FuzzTarget {
  private let isPlanted: Bool

  init(isPlanted: Bool) { self.isPlanted = isPlanted }

  func run(_ bytes: UnsafeRawBufferPointer) {
    let text = String(decoding: bytes, as: UTF8.self)
    let utf8 = Array(text.utf8)
    guard let target = try? Target(path: ByteBuffer(string: text)) else { return }
    let sides = utf8.split(separator: UInt8(ascii: "?"), maxSplits: 1, omittingEmptySubsequences: false)
    check(target.resource, Array(sides[0]))
    check(target.parameters, sides.count == 2 ? Array(sides[1]) : [])
    readParameters(of: target)
  }

  /// nil: something does not stand for a byte.
  private func decoded(_ text: some Collection<UInt8>, plus: UInt8 = UInt8(ascii: "+")) -> [UInt8]? {
    var bytes: [UInt8] = []
    var rest = Array(text)[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte == UInt8(ascii: "+") ? plus : byte)
        continue
      }
      let digits = String(decoding: rest.prefix(2), as: UTF8.self)
      guard digits.utf8.count == 2, digits.utf8.first != UInt8(ascii: "+"), let value = UInt8(digits, radix: 16) else {
        return nil
      }
      bytes.append(value)
      rest = rest.dropFirst(2)
    }
    return bytes
  }

  private func check(_ resource: Resource, _ path: [UInt8]) {
    let name: String
    switch resource {
    case .document(let document): name = document.description
    case .collection(let collection), .settings(let collection): name = collection.description
    default: return
    }
    var written = path
    if case .settings = resource { written.removeFirst("/_collections".utf8.count) }
    guard decoded(written) == Array(name.utf8) else { broken("a path names something else", shown(path)) }
    if isPlanted, name.utf8.contains(0x20) { broken("a planted fault") }
    let bytes = Array(name.utf8)
    let segments = bytes.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    let isDocument = if case .document = resource { true } else { false }
    let names = isDocument ? segments : segments.dropLast()
    guard bytes.first == UInt8(ascii: "/"), isDocument ? names.count >= 2 : segments.last?.isEmpty == true,
      bytes.count <= PathGrammar.maximumBytes,
      names.allSatisfy({ !$0.isEmpty && !$0.elementsEqual(".".utf8) && !$0.elementsEqual("..".utf8) }),
      bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }), !bytes.starts(with: "/_".utf8),
      written.filter({ $0 == UInt8(ascii: "/") }).count == bytes.filter({ $0 == UInt8(ascii: "/") }).count
    else { broken("a path is taken that breaks the grammar", shown(path)) }

    if case .document(let document) = resource {
      guard document.description.utf8.elementsEqual((document.collection.description + document.id).utf8),
        !document.id.utf8.contains(UInt8(ascii: "/"))
      else { broken("a document is cut elsewhere", shown(path)) }
      let again = try? Target(path: ByteBuffer(string: document.requestPath))
      guard again?.resource == resource, again?.parameters.isEmpty == true else {
        broken("a path written again names another", "\(shown(path)) \(document.requestPath)")
      }
      let isPlain = path.withUnsafeBytes { PathGrammar.isPlain($0) }
      guard !isPlain || path == bytes else { broken("a plain path does not stand for itself", shown(path)) }
    }
  }

  private func check(_ parameters: [Target.Parameter], _ query: [UInt8]) {
    let parts = query.split(separator: UInt8(ascii: "&"))
    guard parts.count == parameters.count else { broken("there are more parameters, or fewer", shown(query)) }
    for (part, parameter) in zip(parts, parameters) {
      let sides = part.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
      guard decoded(sides[0], plus: 0x20) == Array(parameter.name.utf8),
        sides.count == 2 ? decoded(sides[1], plus: 0x20) == Array(parameter.value.utf8) : parameter.value.isEmpty
      else { broken("a parameter is another", shown(part)) }
    }
  }

  /// All that is made of them, by whichever resource.
  private func readParameters(of target: Target) {
    guard let parameters = try? ReadParameters(target, data: nil) else { return }
    let collection = CollectionPath(unchecked: "/n/")
    _ = try? QueryRequest(.collection(collection), parameters)
    _ = try? QueryRequest(.everything, parameters)
    _ = try? PageRequest.read(collection: collection, parameters)
    _ = try? WatchRequest(.documents(.collection(collection)), parameters)
    _ = try? ChangesRequest(parameters)
    _ = try? CollectionsRequest(parameters)
    _ = try? TokenPageRequest(parameters)
    _ = try? VersionsRequest(path: DocumentPath(collection: collection, id: "1"), target.parameters)
    _ = try? BackupOperation.offset(target.parameters)
    guard let objects = try? parameters.objects("where") else { return }
    for object in objects where ReferenceJSON(object.readableBytesView) == nil {
      broken("a condition is no JSON", String(buffer: object))
    }
  }
}
