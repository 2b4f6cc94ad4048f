"""What the embedded cluster makes of each field of the kinds that the course is about, by definition.

Names are those of Kubernetes 1.36's OpenAPI definitions and of their fields. A definition that stands for a field's
type is looked into where the field itself is not named. tests/embedded/core/support walks the schema: a field that
nobody thought of fails there.
"""

from __future__ import annotations

from collections.abc import Mapping

from grader.embedded.core.support.states import Done, Inert, Look, State, Warned

NO_SYSTEM_CALLS = Inert("no-system-calls")
NO_LIMIT_REACHED = Inert("no-limit-reached")
NO_REGISTRY = Inert("no-registry")
NO_CONTROLLER = Inert("no-controller")
TOLD_ONLY = Inert("told-only")
WARNED = Warned()
WARNED_UNLESS_TRUE = Warned((True,))
LOOK = Look()
NEAR = Done("test_a_pod_goes_where_others_are_or_are_not")

CONTAINER: Mapping[str, State] = {
    "args": Done("transcript workloads"),
    "command": Done("transcript workloads"),
    "env": LOOK,
    "envFrom": Done("test_secrets_come_as_variables_and_files"),
    "image": Done("test_an_image_that_nobody_knows_is_not_there"),
    "imagePullPolicy": Done("test_an_image_that_nobody_knows_is_not_there"),
    "lifecycle": LOOK,
    "livenessProbe": LOOK,
    "name": TOLD_ONLY,
    "ports": LOOK,
    "readinessProbe": LOOK,
    "resizePolicy": NO_LIMIT_REACHED,
    "resources": LOOK,
    "restartPolicy": Done("transcript containers"),
    "restartPolicyRules": WARNED,
    "securityContext": LOOK,
    "startupProbe": LOOK,
    "stdin": Done("test_the_command_waits_for_the_streams_that_its_request_names"),
    "stdinOnce": WARNED,
    "terminationMessagePath": Done("transcript pod-fields"),
    "terminationMessagePolicy": Done("transcript pod-fields"),
    "tty": Done("test_the_command_waits_for_the_streams_that_its_request_names"),
    "volumeDevices": WARNED,
    "volumeMounts": LOOK,
    "workingDir": Done("test_commands_begin_in_the_working_directory"),
}

FIELDS: Mapping[str, Mapping[str, State]] = {
    "Service": {"spec": LOOK},
    "ServiceSpec": {
        "allocateLoadBalancerNodePorts": Done("transcript load-balancer"),
        "clusterIP": Done("transcript service-allocation"),
        "clusterIPs": Done("test_an_address_comes_and_goes_with_its_service"),
        "externalIPs": Done("test_external_ips_are_served_at_the_node_that_has_them"),
        "externalName": Done("transcript external-name"),
        "externalTrafficPolicy": Done(
            "test_external_policy_local_keeps_the_client_and_serves_only_where_endpoints_are"
        ),
        "healthCheckNodePort": Done("test_health_check_node_port_counts_local_endpoints"),
        "internalTrafficPolicy": Done("test_internal_policy_local_serves_only_pods_of_the_same_node"),
        "ipFamilies": Done("transcript service-allocation"),
        "ipFamilyPolicy": Done("transcript service-allocation"),
        "loadBalancerClass": Done("test_a_class_of_its_own_is_left_to_others"),
        "loadBalancerIP": Done("test_an_address_outside_of_the_pool_is_not_had"),
        "loadBalancerSourceRanges": Done("test_source_ranges_drop_everybody_else"),
        "ports": LOOK,
        "publishNotReadyAddresses": Done("test_readiness_gates_unless_unready_addresses_are_published"),
        "selector": Done("transcript ports"),
        "sessionAffinity": Done("test_client_ip_affinity_sticks_and_is_forgotten_after_its_timeout"),
        "sessionAffinityConfig": Done("test_affinity_lasts_exactly_its_timeout"),
        "trafficDistribution": Done("test_a_proxy_goes_by_the_zone_that_its_node_is_in_now"),
        "type": Done("transcript service-types"),
    },
    "ServicePort": {
        "appProtocol": Done("test_the_protocol_of_an_application_is_copied_to_the_slices"),
        "name": Done("transcript ports"),
        "nodePort": Done("test_a_node_port_is_served_by_every_node"),
        "port": Done("transcript ports"),
        "protocol": Done("transcript ports"),
        "targetPort": Done("transcript ports"),
    },
    "Pod": {"spec": LOOK},
    "PodTemplateSpec": {"metadata": Done("transcript workloads"), "spec": LOOK},
    "PodSpec": {
        "activeDeadlineSeconds": Done("transcript pod-fields"),
        "affinity": LOOK,
        "automountServiceAccountToken": Done("test_the_pods_word_on_mounting_counts_before_its_accounts"),
        "containers": LOOK,
        "dnsConfig": Done("transcript dns-search"),
        "dnsPolicy": Done("transcript dns-search"),
        "enableServiceLinks": Done("transcript environment"),
        "ephemeralContainers": LOOK,
        "hostAliases": Done("transcript dns-search"),
        "hostIPC": WARNED,
        "hostNetwork": Done("transcript dns-search"),
        "hostPID": WARNED,
        "hostUsers": WARNED_UNLESS_TRUE,
        "hostname": Done("transcript dns-records"),
        "hostnameOverride": WARNED,
        "imagePullSecrets": NO_REGISTRY,
        "initContainers": LOOK,
        "nodeName": Done("test_a_pod_that_fits_nowhere_says_why"),
        "nodeSelector": Done("transcript scheduling"),
        "os": Warned(({"name": "linux"},)),
        "overhead": WARNED,
        "preemptionPolicy": Done("test_a_priority_is_what_its_class_says"),
        "priority": Done("test_a_priority_is_what_its_class_says"),
        "priorityClassName": WARNED,  # an unknown one is refused; no Pod gives way to one of a known class
        "readinessGates": Done("test_a_readiness_gate_keeps_a_pod_out_until_its_condition_is_true"),
        "resourceClaims": WARNED,
        "resources": WARNED,
        "restartPolicy": Done("test_a_pod_that_is_done_succeeds_or_fails"),
        "runtimeClassName": WARNED,
        "schedulerName": Done("test_a_pod_of_another_scheduler_or_behind_a_gate_waits"),
        "schedulingGates": Done("test_a_pod_of_another_scheduler_or_behind_a_gate_waits"),
        "schedulingGroup": WARNED,
        "securityContext": LOOK,
        "serviceAccount": TOLD_ONLY,
        "serviceAccountName": Done("test_a_pod_gets_what_admission_gives_it"),
        "setHostnameAsFQDN": Done("transcript pod-fields"),
        "shareProcessNamespace": WARNED,
        "subdomain": Done("transcript dns-records"),
        "terminationGracePeriodSeconds": Done("test_a_pod_ends_gracefully_and_at_the_latest_after_its_grace_period"),
        "tolerations": Done("test_a_toleration_brings_a_pod_to_the_control_plane_too"),
        "topologySpreadConstraints": Done("test_a_spread_that_must_hold_keeps_the_nodes_even_and_then_refuses"),
        "volumes": LOOK,
    },
    "Affinity": {"nodeAffinity": LOOK, "podAffinity": NEAR, "podAntiAffinity": NEAR},
    "NodeAffinity": {
        "preferredDuringSchedulingIgnoredDuringExecution": Done("test_what_is_preferred_wins_over_an_even_spread"),
        "requiredDuringSchedulingIgnoredDuringExecution": Done("test_a_node_affinity_chooses_the_nodes"),
    },
    "PodSecurityContext": {
        "appArmorProfile": NO_SYSTEM_CALLS,
        "fsGroup": WARNED,
        "fsGroupChangePolicy": WARNED,
        "runAsGroup": WARNED,
        "runAsNonRoot": Done("transcript pod-fields"),
        "runAsUser": WARNED,
        "seLinuxChangePolicy": NO_SYSTEM_CALLS,
        "seLinuxOptions": NO_SYSTEM_CALLS,
        "seccompProfile": NO_SYSTEM_CALLS,
        "supplementalGroups": WARNED,
        "supplementalGroupsPolicy": WARNED,
        "sysctls": WARNED,
        "windowsOptions": WARNED,
    },
    "SecurityContext": {
        "allowPrivilegeEscalation": NO_SYSTEM_CALLS,
        "appArmorProfile": NO_SYSTEM_CALLS,
        "capabilities": NO_SYSTEM_CALLS,
        "privileged": NO_SYSTEM_CALLS,
        "procMount": NO_SYSTEM_CALLS,
        "readOnlyRootFilesystem": Done("transcript pod-fields"),
        "runAsGroup": WARNED,
        "runAsNonRoot": Done("test_a_containers_own_word_on_root_counts"),
        "runAsUser": WARNED,
        "seLinuxOptions": NO_SYSTEM_CALLS,
        "seccompProfile": NO_SYSTEM_CALLS,
        "windowsOptions": WARNED,
    },
    "Container": CONTAINER,
    "EphemeralContainer": {
        **CONTAINER,
        "targetContainerName": WARNED,
    },
    "EnvVar": {
        "name": Done("transcript environment"),
        "value": Done("transcript environment"),
        "valueFrom": LOOK,
    },
    "EnvVarSource": {
        "configMapKeyRef": Done("test_configuration_comes_as_variables_and_files"),
        "fieldRef": Done("transcript environment"),
        "fileKeyRef": WARNED,
        "resourceFieldRef": LOOK,
        "secretKeyRef": Done("test_secrets_come_as_variables_and_files"),
    },
    "ResourceFieldSelector": {
        "containerName": Done("test_resources_come_as_variables"),
        "divisor": Done("test_resources_come_as_variables"),
        "resource": Done("test_resources_come_as_variables"),
    },
    "Lifecycle": {
        "postStart": Done("test_a_post_start_command_runs_in_the_container"),
        "preStop": Done("transcript terminating"),
        "stopSignal": WARNED,
    },
    "Probe": {
        "exec": Done("transcript readiness"),
        "failureThreshold": Done("test_a_failing_liveness_probe_restarts_the_container"),
        "grpc": Done("test_a_grpc_probe_fails_where_nobody_speaks_it"),
        "httpGet": Done("test_a_failing_readiness_probe_says_why"),
        "initialDelaySeconds": Done("test_a_pod_waits_for_its_readiness_probe"),
        "periodSeconds": Done("test_a_pod_waits_for_its_readiness_probe"),
        "successThreshold": Done("test_a_probe_must_succeed_as_often_as_it_says"),
        "tcpSocket": Done("test_a_pod_waits_for_its_readiness_probe"),
        "terminationGracePeriodSeconds": WARNED,
        "timeoutSeconds": Done("test_the_timeout_is_the_clients"),
    },
    "ContainerPort": {
        "containerPort": TOLD_ONLY,
        "hostIP": Done("test_a_host_port_of_one_address_is_open_there_only"),
        "hostPort": Done("test_a_host_port_leads_to_the_pod_from_everywhere_on_its_node_only"),
        "name": Done("transcript ports"),
        "protocol": Done("transcript ports"),
    },
    "ResourceRequirements": {
        "claims": WARNED,
        "limits": NO_LIMIT_REACHED,
        "requests": Done("test_a_pod_that_asks_for_more_than_is_left_waits_for_room"),
    },
    "VolumeMount": {
        "mountPath": Done("test_configuration_comes_as_variables_and_files"),
        "mountPropagation": NO_SYSTEM_CALLS,
        "name": Done("test_configuration_comes_as_variables_and_files"),
        "readOnly": Done("test_what_is_mounted_to_be_read_is_not_written"),
        "recursiveReadOnly": WARNED,
        "subPath": Done("test_a_single_file_of_a_volume_is_mounted"),
        "subPathExpr": Done("test_a_sub_path_is_a_folder_of_the_volume"),
    },
    "Volume": {
        **dict.fromkeys(
            "awsElasticBlockStore azureDisk azureFile cephfs cinder csi ephemeral fc flexVolume flocker "
            "gcePersistentDisk gitRepo glusterfs image iscsi nfs photonPersistentDisk "
            "portworxVolume quobyte rbd scaleIO storageos vsphereVolume".split(),
            WARNED,
        ),
        "configMap": Done("test_configuration_comes_as_variables_and_files"),
        "emptyDir": Done("test_what_one_container_writes_the_other_serves"),
        "hostPath": Done("test_files_of_a_node_are_kept_over_pods"),
        "downwardAPI": Done("test_the_pods_own_fields_come_as_files"),
        "name": Done("test_configuration_comes_as_variables_and_files"),
        "persistentVolumeClaim": Done("test_data_is_kept_over_pods_and_draws_them_to_its_node"),
        "projected": Done("test_several_sources_are_projected_into_one_volume"),
        "secret": Done("test_secrets_come_as_variables_and_files"),
    },
    "Deployment": {"spec": LOOK},
    "DeploymentSpec": {
        "minReadySeconds": Done("test_a_deployment_waits_for_minimum_ready_seconds"),
        "paused": Done("test_a_paused_deployment_rolls_nothing_out"),
        "progressDeadlineSeconds": Done("test_a_rollout_that_does_not_get_on_says_so_after_its_deadline"),
        "replicas": Done("transcript workloads"),
        "revisionHistoryLimit": Done("test_old_replica_sets_beyond_the_limit_are_dropped"),
        "selector": Done("transcript workloads"),
        "strategy": LOOK,
        "template": LOOK,
    },
    "DeploymentStrategy": {"rollingUpdate": LOOK, "type": Done("test_recreate_ends_all_old_pods_first")},
    "RollingUpdateDeployment": {
        "maxSurge": Done("test_a_rolling_update_keeps_to_its_bounds"),
        "maxUnavailable": Done("test_a_rolling_update_keeps_to_its_bounds"),
    },
    "StatefulSet": {"spec": LOOK},
    "StatefulSetSpec": {
        "minReadySeconds": Done("test_minimum_ready_seconds_hold_up_the_next_pod"),
        "ordinals": Done("test_a_pod_has_the_identity_of_its_ordinal"),
        "persistentVolumeClaimRetentionPolicy": Done(
            "test_claims_go_with_the_stateful_set_or_the_pod_where_its_policy_says_so"
        ),
        "podManagementPolicy": Done("test_parallel_pods_do_not_wait_for_each_other"),
        "replicas": Done("transcript stateful"),
        "revisionHistoryLimit": Done("test_old_revisions_beyond_the_limit_are_dropped"),
        "selector": Done("transcript stateful"),
        "serviceName": Done("test_a_stateful_set_without_a_service_name_has_no_names_in_dns"),
        "template": LOOK,
        "updateStrategy": LOOK,
        "volumeClaimTemplates": Done("test_each_pod_of_a_stateful_set_has_a_claim_of_its_own_that_stays"),
    },
    "StatefulSetUpdateStrategy": {
        "rollingUpdate": LOOK,
        "type": Done("test_on_delete_leaves_it_to_whoever_deletes"),
    },
    "RollingUpdateStatefulSetStrategy": {
        "maxUnavailable": WARNED,  # alpha, and off by default: pkg/features/kube_features.go MaxUnavailableStatefulSet
        "partition": Done("test_a_partition_keeps_the_lower_pods_as_they_are"),
    },
    "EndpointSlice": {
        "addressType": Done("test_endpoints_of_a_port_come_from_all_slices_without_duplicates"),
        "endpoints": LOOK,
        "ports": LOOK,
    },
    "Endpoint": {
        "addresses": Done("transcript selectorless"),
        "conditions": Done("test_serving_terminating_pods_are_used_when_no_pod_is_ready"),
        "deprecatedTopology": TOLD_ONLY,
        "hints": Done("transcript distribution"),
        "hostname": Done("transcript dns-records"),
        "nodeName": Done("transcript internal-policy"),
        "targetRef": TOLD_ONLY,
        "zone": TOLD_ONLY,
    },
    "EndpointPort": {
        "appProtocol": TOLD_ONLY,
        "name": Done("transcript selectorless"),
        "port": Done("transcript selectorless"),
        "protocol": Done("transcript dns-records"),
    },
    "Ingress": {"spec": NO_CONTROLLER},
    "NetworkPolicy": {"spec": Done("transcript network-policies")},
}
