import DocketJSON
import NIOCore

/// A patch makes of a document what its RFC says: an object by RFC 7396, an array by RFC 6902.
///
/// A document and a patch with a NUL between them.
final class PatchTarget: FuzzTarget {
  private let isPlanted: Bool
  /// So that no patch here is too large.
  private static let maximumBytes = 1 << 20

  init(isPlanted: Bool) { self.isPlanted = isPlanted }

  func run(_ bytes: UnsafeRawBufferPointer) {
    var input = FuzzInput(bytes)
    let (target, patch) = (input.part(), input.all())
    guard let tree = ReferenceJSON(target), let change = ReferenceJSON(patch) else { return }
    if case .array = change {
      apply(patch, change, to: target, tree)
    } else {
      merge(patch, change, into: target, tree)
    }
  }

  private func merge(
    _ patch: UnsafeRawBufferPointer, _ change: ReferenceJSON, into target: UnsafeRawBufferPointer, _ tree: ReferenceJSON
  ) {
    let merged = MergePatch.apply(patch, to: target)
    var expected = ReferencePatch.merge(change, into: tree)
    if isPlanted, change.member("a") != nil { expected = .null }
    check(merged, expected, depth: max(tree.depth, change.depth), "merged", target, patch)
  }

  private func apply(
    _ patch: UnsafeRawBufferPointer, _ change: ReferenceJSON, to target: UnsafeRawBufferPointer, _ tree: ReferenceJSON
  ) {
    let outcome = ReferencePatch.apply(change, to: tree)
    do throws(JSONPatchError) {
      let patched = try JSONPatch(ByteBuffer(bytes: patch)).apply(to: target, maximumBytes: Self.maximumBytes)
      switch outcome {
      case .changed(let expected): check(patched, expected, depth: expected.depth, "patched", target, patch)
      case .refused: broken("a patch is carried out that must be refused", "\(shown(target)) \(shown(patch))")
      // The text must be JSON all the same.
      case .unknown: guard ReferenceJSON(patched, depth: .max) != nil else { broken("a patch leaves no JSON") }
      }
    } catch {
      guard case .changed = outcome else { return }
      switch error.reason {
      case .tooDeep, .tooLarge, .tooMuchWork, .tooManySteps: break
      default: broken("a patch is refused that can be carried out", "\(shown(target)) \(shown(patch)) \(error)")
      }
    }
  }

  private func check(
    _ found: [UInt8], _ expected: ReferenceJSON, depth: Int, _ what: String, _ target: UnsafeRawBufferPointer,
    _ patch: UnsafeRawBufferPointer
  ) {
    guard let tree = ReferenceJSON(found, depth: max(128, depth)) else {
      broken("what is \(what) is no JSON", "\(shown(target)) \(shown(patch)) \(shown(found))")
    }
    guard tree.depth <= max(depth, 0), tree.isSame(as: expected) != false else {
      broken("what is \(what) is something else", "\(shown(target)) \(shown(patch)) \(shown(found))")
    }
    guard let first = found.first, let last = found.last, first > 0x20, last > 0x20 else {
      broken("there is white space around it", shown(found))
    }
  }
}
