// Words for one thing: what learners type beside what the pages say. Each line is a group; all are written in lower case.
const GROUPS = `
エンドポイント endpoint endpointslice endpoints 届け先
名前解決 dns 名前を解決 名前が引け
負荷分散 ロードバランシング load_balancing loadbalancing 振り分け
ロードバランサー ロードバランサ load_balancer loadbalancer
ポートフォワード ポートフォワーディング ポート転送 port_forward port-forward portforward
ヘッドレス headless
環境変数 environment_variable env
送信元 呼び出し元 クライアントのip source_ip client_ip ソースip
つながらない 繋がらない 接続できない 届かない アクセスできない 通信できない 疎通
タイムアウト timeout timed_out time-out
接続拒否 接続を拒否 connection_refused 断られ refused
外部から クラスターの外から 外から 外部アクセス 外部公開
外部 クラスターの外
セレクター セレクタ selector
ラベル label
ヘルスチェック readinessprobe readiness_probe readiness 準備ができ
別名 エイリアス alias cname externalname
スティッキー sticky セッションアフィニティ sessionaffinity session_affinity セッション固定 同じpod
名前空間 ネームスペース namespace
ノードポート nodeport node_port
クラスターip clusterip cluster_ip
デプロイメント deployment
ステートフルセット statefulset
イングレス ingress
ゲートウェイ gateway
サービスディスカバリ サービスディスカバリー service_discovery サービス発見
トラブルシューティング トラブルシュート troubleshooting トラブル デバッグ debug 故障 うまくいかない 動かない 症状
遅い 待たされ 時間がかか timeout ndots
デフォルト default 既定
レプリカ replicas 台数 スケール
トポロジー トポロジ topology trafficdistribution ゾーン zone 近い 近く
完全修飾名 fqdn 完全修飾ドメイン名
検索リスト サーチドメイン search_domain ndots
複数ポート 複数のポート マルチポート multi_port multi-port multiport
オンプレ オンプレミス metallb
クラウド クラウドプロバイダー aws eks gke azure
無停止 ローリングアップデート rolling_update ローリング
クライアントの 呼び出し元
保持 維持 残す 失われ
空 <none> 1つも載って
コマンド一覧 チートシート cheat_sheet cheatsheet 早見表
pending <pending>
nxdomain 名前が見つからない could_not_resolve
アノテーション annotation annotations
ベストプラクティス best_practice よい習慣
`;

// The same for words that stand in nearly every query, and rarely say what it is about.
const COMMON = `
変更 変える 切り替え
削除 消す delete
作成 作る create
違い 比較 比べ
service サービス svc
pod ポッド
node ノード
cluster クラスター クラスタ
port ポート
ip_address ipアドレス アドレス
kubernetes クーバネティス k8s
kubectl
アクセス
yaml マニフェスト
`;

const read = (lines: string): string[][] =>
  lines.trim().split("\n").map((line) => line.split(" ").map((word) => word.replaceAll("_", " ")));

/** Each word → all that mean the same, itself first. */
export const synonyms: ReadonlyMap<string, readonly string[]> = (() => {
  const found = new Map<string, string[]>();
  for (const group of read(GROUPS.trimEnd() + COMMON))
    for (const word of group) found.set(word, [...new Set([...(found.get(word) ?? [word]), ...group])]);
  return found;
})();

/** The words of COMMON. */
export const common: ReadonlySet<string> = new Set(read(COMMON).flat());
