import DocketJSON
import DocketStore
import NIOCore

/// The fields of a document that an answer shows, nested as they are in the document.
struct Projection: Sendable {
  static let maximumFields = 64

  private enum Node: Sendable {
    /// Shown as it is in the document.
    case whole(FieldPath)
    case members([Member])
  }

  private struct Member: Sendable {
    let name: String
    var node: Node
  }

  private var root: [Member] = []

  /// - Parameter names: dotted paths into the document. Of one that lies within another the outer one counts.
  init(_ names: [String]) throws(ParameterError) {
    guard names.count <= Self.maximumFields else {
      throw .invalidQuery("'fields' takes \(Self.maximumFields) names at most.")
    }
    for name in names {
      guard name.utf8.first != UInt8(ascii: "@") else {
        throw ParameterError(
          code: "invalid_field",
          detail:
            "'fields' names what of the document is shown; '\(name.shortened)' is no part of it, and items tell it anyway."
        )
      }
      let path = try FieldPath(name: name)
      Self.insert(path, path.segments[...], into: &root)
    }
  }

  private static func insert(_ path: FieldPath, _ segments: ArraySlice<String>, into members: inout [Member]) {
    guard let name = segments.first else { return }
    let index = members.firstIndex { $0.name.utf8.elementsEqual(name.utf8) } ?? members.endIndex
    let isLast = segments.count == 1
    if index == members.endIndex {
      members.append(Member(name: name, node: isLast ? .whole(path) : .members([])))
    } else if isLast {
      members[index].node = .whole(path)
    }
    guard case .members(var inner) = members[index].node else { return }
    insert(path, segments.dropFirst(), into: &inner)
    members[index].node = .members(inner)
  }

  /// An object with what of the fields there is in a document; empty for one that is no object.
  func apply(to text: UnsafeRawBufferPointer) -> ByteBuffer {
    var output = ByteBuffer()
    let isObject = text.first { $0 > UInt8(ascii: " ") } == UInt8(ascii: "{")
    if !isObject || !Self.write(root, of: text, into: &output) { output = ByteBuffer(staticString: "{}") }
    return output
  }

  /// Writes an object with the members that are there. Writes nothing and returns false if none is.
  private static func write(
    _ members: [Member], of text: UnsafeRawBufferPointer, into output: inout ByteBuffer
  ) -> Bool {
    let start = output.writerIndex
    var isEmpty = true
    for member in members {
      let beforeMember = output.writerIndex
      output.writeStaticString(isEmpty ? "{" : ", ")
      output.writeJSONString(member.name)
      output.writeStaticString(": ")
      let isThere: Bool
      switch member.node {
      case .members(let inner): isThere = write(inner, of: text, into: &output)
      case .whole(let path):
        let range = path.range(in: text)
        if let range { output.writeBytes(UnsafeRawBufferPointer(rebasing: text[range])) }
        isThere = range != nil
      }
      if isThere { isEmpty = false } else { output.moveWriterIndex(to: beforeMember) }
    }
    guard !isEmpty else {
      output.moveWriterIndex(to: start)
      return false
    }
    output.writeStaticString("}")
    return true
  }
}
