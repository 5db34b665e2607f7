import DocketStore

/// What a statement does to one document.
struct DoorEffect: Hashable {
  enum Kind: String {
    case created, updated, deleted, expired
  }

  let kind: Kind
  let path: DocumentPath
  /// The document afterwards; nil where there is none.
  var data: String?
  var expires: Int64?
}

/// The plain model of the tables: every change that was ever made, with what it made.
struct DoorModel {
  struct Version: Equatable {
    let revision: Int64
    /// The sequence of the change that created the document.
    let creation: Int64
    let expires: Int64?
    let data: String

    /// The model's documents expire in 2001, in 2100 or never, so that no test races with the clock.
    var isExpired: Bool { expires == DoorModel.past }
  }

  struct Change {
    let sequence: Int64
    let previous: Int64?
    let at: Int64
    let effect: DoorEffect
    let before: Version?
    let after: Version?
  }

  static let past: Int64 = 978_307_200_000
  static let future: Int64 = 4_102_444_800_000

  private(set) var rows: [DocumentPath: Version] = [:]
  private(set) var tombstones: [DocumentPath: Int64] = [:]
  /// All changes, those that were pruned from the database too; the first has sequence 1.
  private(set) var changes: [Change] = []
  /// The newest sequence that was pruned.
  private(set) var horizon: Int64 = 0

  var counter: Int64 { Int64(changes.count) }
  var newestAt: Int64 { changes.last?.at ?? 0 }

  func live(_ path: DocumentPath) -> Version? {
    rows[path].flatMap { $0.isExpired ? nil : $0 }
  }

  func time(of sequence: Int64) -> Int64 { changes[Int(sequence) - 1].at }

  @discardableResult
  mutating func append(_ effect: DoorEffect, at: Int64) -> Change {
    let sequence = counter + 1
    let before = rows[effect.path]
    let previous = before?.revision ?? tombstones[effect.path]
    let after = effect.data.map {
      Version(revision: sequence, creation: before?.creation ?? sequence, expires: effect.expires, data: $0)
    }
    rows[effect.path] = after
    tombstones[effect.path] = after == nil ? sequence : nil
    let change = Change(
      sequence: sequence, previous: previous, at: at, effect: effect, before: before, after: after)
    changes.append(change)
    return change
  }

  mutating func prune(upTo newest: Int64) {
    horizon = newest
    tombstones = tombstones.filter { $0.value > newest }
  }

  /// The effects of writing a document, live or not: an expired one ends first.
  func writing(_ path: DocumentPath, _ data: String, expires: Int64?) -> [DoorEffect] {
    guard let row = rows[path] else { return [DoorEffect(kind: .created, path: path, data: data, expires: expires)] }
    guard row.isExpired else { return [DoorEffect(kind: .updated, path: path, data: data, expires: expires)] }
    return [
      DoorEffect(kind: .expired, path: path), DoorEffect(kind: .created, path: path, data: data, expires: expires),
    ]
  }

  /// The model after effects whose times do not matter.
  func after(_ effects: [DoorEffect]) -> DoorModel {
    var model = DoorModel()
    model.rows = rows
    for effect in effects {
      model.rows[effect.path] = effect.data.map {
        Version(revision: 0, creation: 0, expires: effect.expires, data: $0)
      }
    }
    return model
  }
}
