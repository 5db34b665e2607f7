import DocketClient
import DocketJSON
import DocketSQLite
import DocketStore
import DocketWire
import NIOCore

/// Has a running server make a backup, and brings it here piece by piece.
struct BackupFetch {
  /// No server answers.
  struct NoServer: Error {
    let reason: CommandFailure
  }

  /// What a server tells of a backup that it has made.
  struct Made: Sendable {
    let name: String
    let bytes: Int64
    let revision: Int64
    let faults: Int
  }

  let server: ServerOptions
  let progress: ProgressOptions
  let acceptsFaults: Bool

  /// A large database takes its time.
  private static let makingSeconds = 86_400.0

  /// Has a copy made that is only to be fetched, and calls `write` with each piece of it, and the size of the whole in bytes.
  func run(_ write: (_ piece: [UInt8], _ total: Int64) throws -> Void) async throws {
    let made = try await make(named: nil)
    let result: Result<Void, any Error>
    do {
      result = .success(try await server.withClient { try await fetch(made, $0, write) })
    } catch {
      result = .failure(error)
    }
    // Also when this command is to stop, which then waits for nothing. Where it does not get through the server forgets the copy
    // by itself.
    let path = "/_backups/\(made.name)"
    _ = try? await server.withClient { client in
      if StopSignal.isStopped {
        _ = try await client.request(.delete, path, data: nil)
      } else {
        _ = try await ask(client, .delete, path)
      }
    }
    try result.get()
  }

  private func fetch(
    _ made: Made, _ client: DocketClient, _ write: (_ piece: [UInt8], _ total: Int64) throws -> Void
  ) async throws {
    let line = StepProgress(isQuiet: progress.quiet)
    defer { line.clear() }
    var offset: Int64? = 0
    while let start = offset {
      guard !StopSignal.isStopped else { throw CommandFailure("stopped; nothing was made") }
      let data = try await ask(client, .get, "/_backups/\(made.name)?offset=\(start)")
      let fields = Fields(data)
      guard let text = fields.string("data"), let piece = Base64.decode(text) else {
        throw CommandFailure("the server's answer holds no piece of the backup; its version may be another one")
      }
      try write(piece, made.bytes)
      offset = fields.number("next")
      _ = line.show(
        CareProgress(step: "fetching", percent: Int(100 * (start + Int64(piece.count)) / max(made.bytes, 1))))
    }
  }

  /// - Parameter name: nil: a copy that is only to be fetched.
  func make(named name: String?) async throws -> Made {
    var members: [String] = []
    if let name {
      var token: [UInt8] = []
      JSONString.encode(name, into: &token)
      members.append("\"name\": \(String(decoding: token, as: UTF8.self))")
    }
    if acceptsFaults { members.append("\"acceptFaults\": true") }
    let data = ByteBuffer(string: "{\(members.joined(separator: ", "))}")
    let shown = showMaking()
    let result: Result<ByteBuffer, any Error>
    do {
      result = .success(
        try await server.withClient(requestTimeout: Self.makingSeconds) { try await ask($0, .post, "/_backups/", data) }
      )
    } catch let failure as CommandFailure where failure.isOfConnection {
      result = .failure(NoServer(reason: failure))
    } catch {
      result = .failure(error)
    }
    shown?.cancel()
    await shown?.value
    let fields = Fields(try result.get())
    guard let name = fields.string("name"), let bytes = fields.number("bytes") else {
      throw CommandFailure("the server's answer names no backup; its version may be another one")
    }
    return Made(
      name: name, bytes: bytes, revision: fields.number("revision") ?? 0, faults: Int(fields.number("faults") ?? 0))
  }

  /// Tells on the terminal how far the server is, as it says itself.
  private func showMaking() -> Task<Void, Never>? {
    guard !progress.quiet, StandardStream.error.isTerminal else { return nil }
    return Task { [server] in
      // It is for people: where it cannot be told, the answer will say why.
      try? await server.withClient { client in
        let line = StepProgress(isQuiet: false)
        defer { line.clear() }
        while true {
          try await Task.sleep(for: .milliseconds(250))
          let percent = Fields(try await client.get("/_backups/")).number("running", "percent")
          _ = line.show(CareProgress(step: "making the backup", percent: percent.map { Int($0) }))
        }
      }
    }
  }

  /// Asks again while the server says that it has to wait: a large database has many pieces, and how many requests there are
  /// in a second may be bounded; and it makes one backup at a time.
  private func ask(
    _ client: DocketClient, _ method: Method, _ path: String, _ data: ByteBuffer? = nil
  ) async throws -> ByteBuffer {
    var isTold = false
    while true {
      let answer = try await StopSignal.endsOnStop { try await client.request(method, path, data: data) }
      let refusal = Refusal(answer)
      let waitsForAnother = refusal.error == "backup_running"
      if waitsForAnother, !isTold, !progress.quiet {
        try StandardStream.error.writeLine("docket: another backup is being made or fetched; waiting for it to end")
        isTold = true
      }
      if answer.code == 429 || waitsForAnother,
        await !StopSignal.comes(within: .seconds(refusal.retryAfter ?? 1))
      {
        continue
      }
      try CommandFailure.check(answer)
      return answer.data
    }
  }

  /// Members of an answer's data.
  private struct Fields {
    private let data: ByteBuffer

    init(_ data: ByteBuffer) { self.data = data }

    func string(_ names: String...) -> String? {
      data.withUnsafeReadableBytes { text in
        guard case .string(let bytes) = FieldPath(unchecked: names).value(in: text) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
      }
    }

    func number(_ names: String...) -> Int64? {
      data.withUnsafeReadableBytes { text in
        guard case .number(let number) = FieldPath(unchecked: names).value(in: text) else { return nil }
        return Int64(String(decoding: number.token, as: UTF8.self))
      }
    }
  }
}
